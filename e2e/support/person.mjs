// A person who manages tenants: a browser without a page, which keeps its cookie.

export const PASSWORD = "three unrelated words";

let networks = 0;

export class Person {
  /** A browser at this edge; `origin` is the origin of the page that asks, `null` for none; `network` is its address. */
  constructor(edge, { origin = new URL(edge.url).origin, network = `10.1.${(networks += 1) >> 8}.${networks & 255}` } = {}) {
    Object.assign(this, { edge, origin, network, cookie: undefined });
  }

  /** The raw response. */
  async fetch(path, { method = "GET", body, headers = {}, cookie = this.cookie, origin = this.origin } = {}) {
    const response = await fetch(this.edge.url + path, {
      method,
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      headers: {
        "cf-connecting-ip": this.network,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(cookie ? { cookie } : {}),
        ...(origin ? { origin } : {}),
        ...headers,
      },
    });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) {
      this.setCookie = set;
      const [pair] = set.split(";");
      this.cookie = pair.endsWith("=") ? undefined : pair;
    }
    return response;
  }

  /** The status, the code of a problem, the headers and the body. */
  async call(method, path, body, options = {}) {
    const response = await this.fetch(path, { method, body, ...options });
    const text = await response.text();
    const json = text ? JSON.parse(text) : undefined;
    return { status: response.status, code: json?.code, headers: response.headers, text, json };
  }

  async #good(method, path, body, options) {
    const answer = await this.call(method, path, body, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  signIn(email, password = PASSWORD) {
    return this.call("POST", "/v1/account/sign-in", { email, password });
  }

  stepUp(password = PASSWORD) {
    return this.call("POST", "/v1/account/step-up", { password });
  }

  accept(token, more = { password: PASSWORD }) {
    return this.call("POST", "/v1/account/invitations", { token, ...more });
  }

  /** What the account says of itself. */
  account() {
    return this.#good("GET", "/v1/account");
  }

  /** The link of an operator's key for this address. */
  static async link(edge, email, operator = true) {
    const person = new Person(edge, { origin: null });
    const headers = { authorization: `Bearer ${edge.adminKey}` };
    return person.#good("POST", "/v1/admin/invitations", { email, operator }, { headers });
  }

  /** An operator who is signed in. */
  static async operator(edge, email = "root@example.com") {
    const person = new Person(edge);
    const { token } = await Person.link(edge, email);
    const answer = await person.accept(token);
    if (answer.status !== 201) throw new Error(answer.text);
    return person;
  }

  /** A member of a tenant who is signed in. */
  static async member(edge, tenant, role, email, bots) {
    const operator = new Person(edge, { origin: null });
    const headers = { authorization: `Bearer ${edge.adminKey}` };
    const invited = { email, role, ...(bots ? { bots } : {}) };
    const { token } = await operator.#good("POST", `/v1/admin/tenants/${tenant}/invitations`, invited, { headers });
    const person = new Person(edge);
    const answer = await person.accept(token);
    if (answer.status !== 201) throw new Error(answer.text);
    return person;
  }
}
