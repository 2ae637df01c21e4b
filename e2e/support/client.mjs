// A visitor without a browser: the bubble's HTTP calls.
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID: 48 bits of time, 80 random bits, Crockford's base 32. */
export function ulid(time = Date.now()) {
  const random = crypto.getRandomValues(new Uint8Array(10)).reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  const value = (BigInt(time) << 80n) | random;
  return Array.from({ length: 26 }, (_, i) => ALPHABET[Number((value >> BigInt(5 * (25 - i))) & 31n)]).join("");
}

/** The events of a stream, as they arrive. Ends without an error when the stream is cut. */
export async function* events(response) {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body) {
      text += decoder.decode(bytes, { stream: true });
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const lines = text.slice(0, end).split("\n");
        const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        if (field("event")) yield { event: field("event"), id: field("id"), data: JSON.parse(field("data")) };
      }
    }
  } catch (error) {
    if (error.name !== "TypeError" && error.name !== "AbortError") throw error;
  }
}

const leaf = (node) => {
  if (typeof node.text === "string") return node;
  const inside = node.content ?? node.items ?? node.rows;
  const last = inside.at(-1);
  return leaf(Array.isArray(last) ? { content: last } : last);
};

/** Applies `start`, `block` and `append` as the protocol defines them. */
export function assemble(list) {
  let blocks = [];
  for (const { event, data } of list) {
    if (event === "start") blocks = [];
    if (event === "block") blocks[data.index] = structuredClone(data.block);
    if (event === "append") leaf(blocks[data.index]).text += data.text;
  }
  return blocks;
}

/** The text of blocks or inlines, citations as [n]. */
export function text(node) {
  if (Array.isArray(node)) return node.map(text).join(node[0]?.type?.match(/^(text|strong|cite|link|emphasis)$/) ? "" : "\n");
  if (node.type === "cite") return `[${node.n}]`;
  if (node.type === "break") return "\n";
  return node.text ?? text(node.content ?? node.items ?? []);
}

export class Visitor {
  constructor(edge, { site = "twin-demo", locale = "fr", origin = edge.site } = {}) {
    Object.assign(this, { edge, site, locale, origin });
  }

  fetch(path, { method = "GET", body, headers = {}, token = this.token, signal } = {}) {
    return fetch(this.edge.url + path, {
      method,
      signal,
      body: body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: {
        ...(this.origin ? { origin: this.origin } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
    });
  }

  async open(more = {}) {
    const response = await this.fetch("/v1/sessions", {
      method: "POST",
      token: null,
      body: { site: this.site, locale: this.locale, ...more },
    });
    this.session = await response.json();
    this.token = this.session.token;
    return this;
  }

  async conversation() {
    const response = await this.fetch("/v1/conversations", { method: "POST" });
    this.conversationId = (await response.json()).id;
    return this.conversationId;
  }

  /** Posts a message; the raw response. */
  async post(message, options = {}) {
    const conversation = this.conversationId ?? (await this.conversation());
    return this.fetch(`/v1/conversations/${conversation}/messages`, { method: "POST", body: message, ...options });
  }

  /** Asks and waits for the end: the events. */
  async ask(question, id = ulid(), more = {}) {
    const response = await this.post({ id, text: question, ...more });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return Array.fromAsync(events(response));
  }

  async attach(after) {
    const query = after ? `?after=${encodeURIComponent(after)}` : "";
    const response = await this.fetch(`/v1/conversations/${this.conversationId}/events${query}`);
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return Array.fromAsync(events(response));
  }

  async history(query = "") {
    const response = await this.fetch(`/v1/conversations/${this.conversationId}/messages${query}`);
    return { status: response.status, ...(await response.json()) };
  }
}
