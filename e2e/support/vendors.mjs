// Every vendor's API at one address: the test sets the behaviour of a model by its name, before it is asked.
import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";
import { pause } from "./wait.mjs";
import { listen } from "./listen.mjs";

const sse = (data, event) => `${event ? `event: ${event}\n` : ""}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** A pause that does not keep the process alive. */
const rest = (ms) => setTimeout(ms, undefined, { ref: false });

/** Tokens of every prompt; those of an answer are the number of its words. */
export const INPUT_TOKENS = 11;

const chat = {
  model: (body) => body.model,
  key: (headers) => headers.authorization?.slice("Bearer ".length),
  /** The events before the first word. */
  head: () => [sse({ model: "named-itself", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] })],
  word: (text) => sse({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] }),
  end: (reason) => sse({ choices: [{ index: 0, delta: {}, finish_reason: reason }] }),
  usage: (output) => sse({ choices: [], usage: { prompt_tokens: INPUT_TOKENS, completion_tokens: output } }),
  marker: sse("[DONE]"),
  reasons: { stop: "stop", length: "length", filter: "content_filter", tool: "tool_calls" },
  tool: () => sse({ choices: [{ index: 0, delta: { content: null, tool_calls: [{ index: 0, function: { name: "f", arguments: "{}" } }] } }] }),
  error: (message) => sse({ error: { type: "server_error", code: "overloaded", message } }),
};

/** The answer's events: `usage` is early, late (after the end), missing, or where the vendor has it. */
function chatEvents({ words, reason, usage, marker }) {
  const counted = chat.usage(words.length);
  return [
    ...chat.head(),
    ...(usage === "early" ? [counted] : []),
    ...words.map(chat.word),
    ...(reason === undefined ? [] : [chat.end(reason)]),
    ...(usage === "late" ? [counted] : []),
    ...(marker ? [chat.marker] : []),
  ];
}

export const VENDORS = {
  openai: { ...chat, events: chatEvents },
  anthropic: {
    model: (body) => body.model,
    key: (headers) => headers["x-api-key"],
    head: (usage) => [
      sse({ type: "message_start", message: { model: "named-itself", content: [], ...(usage ? { usage } : {}) } }, "message_start"),
      sse({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }, "content_block_start"),
      sse({ type: "ping" }, "ping"),
    ],
    word: (text) => sse({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }, "content_block_delta"),
    reasons: { stop: "end_turn", length: "max_tokens", filter: "refusal", tool: "tool_use" },
    tool: () => sse({ type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: "{}" } }, "content_block_delta"),
    error: (message) => sse({ type: "error", error: { type: "overloaded_error", message } }, "error"),
    marker: sse({ type: "message_stop" }, "message_stop"),
    events({ words, reason, usage, marker }) {
      const output = { output_tokens: words.length };
      const last = { type: "message_delta", delta: { stop_reason: reason }, ...(usage === "late" ? { usage: output } : {}) };
      return [
        ...this.head(usage === "missing" ? undefined : { input_tokens: INPUT_TOKENS, ...(usage === "early" ? output : { output_tokens: 1 }) }),
        ...words.map(this.word),
        sse({ type: "content_block_stop", index: 0 }, "content_block_stop"),
        ...(reason === undefined ? [] : [sse(last, "message_delta")]),
        ...(marker ? [this.marker] : []),
      ];
    },
  },
  gemini: {
    model: (_, url) => url.match(/models\/(.*):streamGenerateContent/)?.[1],
    key: (headers) => headers["x-goog-api-key"],
    head: () => [],
    chunk: (parts, more = {}) => sse({ candidates: [{ content: { parts, role: "model" }, index: 0, ...more.candidate }], modelVersion: "named-itself", ...more.chunk }),
    word: (text) => VENDORS.gemini.chunk([{ text }]),
    reasons: { stop: "STOP", length: "MAX_TOKENS", filter: "SAFETY", tool: "STOP" },
    tool: () => VENDORS.gemini.chunk([{ functionCall: { name: "f", args: {} } }]),
    error: (message) => sse({ error: { code: 503, status: "UNAVAILABLE", message } }),
    marker: "",
    events({ words, reason, usage }) {
      const counted = { usageMetadata: { promptTokenCount: INPUT_TOKENS, candidatesTokenCount: words.length } };
      const last = this.chunk([{ text: "" }], { candidate: { finishReason: reason }, chunk: usage === "beside" ? counted : {} });
      return [
        ...(usage === "early" ? [sse({ ...counted, modelVersion: "named-itself" })] : []),
        ...words.map(this.word),
        ...(reason === undefined ? [] : [last]),
        ...(usage === "late" ? [sse(counted)] : []),
      ];
    },
  },
  // The API of older models: no finish reason, `[DONE]` is the end.
  workers_ai: {
    model: (body) => body.model,
    key: () => undefined,
    head: () => [],
    word: (text) => sse({ response: text, p: "abcdef" }),
    reasons: { stop: undefined, filter: "content_filter", tool: undefined },
    tool: () => sse({ response: "", tool_calls: [{ name: "f", arguments: {} }] }),
    error: (message) => sse({ errors: [{ message, code: 3040 }] }),
    marker: sse("[DONE]"),
    events({ words, reason, usage, marker }) {
      const counted = sse({ response: "", usage: { prompt_tokens: INPUT_TOKENS, completion_tokens: words.length } });
      return [
        ...(usage === "early" ? [counted] : []),
        ...words.map(this.word),
        ...(reason === undefined ? [] : [chat.end(reason)]),
        ...(usage === "late" ? [counted] : []),
        ...(marker ? [this.marker] : []),
      ];
    },
  },
};

/** The place of an answer's usage, for each vendor. */
const USUAL = { openai: "late", anthropic: "late", gemini: "beside", workers_ai: "late" };

/** The events of a successful answer of this vendor, except for the given changes. */
export function says(vendor, words, { reason = "stop", usage = USUAL[vendor], marker = true } = {}) {
  const { reasons } = VENDORS[vendor];
  return VENDORS[vendor].events({ words, reason: reason && reasons[reason], usage, marker });
}

/** One server for all. `does(model, ...scripts)`: the nth request for the model runs the nth script; the last one is repeated. */
export async function startVendors() {
  const models = new Map();
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const [vendor] = request.url.slice(1).split("/");
    const body = JSON.parse(text);
    const name = VENDORS[vendor].model(body, request.url);
    const model = models.get(name);
    if (!model) throw new Error(`nobody said what ${name} of ${vendor} does`);
    const asked = { body, text, key: VENDORS[vendor].key(request.headers), closed: undefined, sent: 0 };
    response.once("close", () => (asked.closed = performance.now()));
    model.requests.push(asked);
    const script = model.scripts[Math.min(model.requests.length, model.scripts.length) - 1];
    await script({ response, vendor, asked });
  });
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  return {
    url: (vendor) => `${url}/${vendor}`,
    /** Sets a model's behaviour; gives its requests as they come. */
    does(name, ...scripts) {
      const model = { scripts, requests: [] };
      models.set(name, model);
      return model.requests;
    },
    models,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * A script that sends these events (of a list, or made for the vendor), a pause after each. `end`: true closes well,
 * "cut" breaks the connection off, false leaves it open. `before`: milliseconds, or a promise, to wait for before the first.
 */
export function sends(events, { wait = 0, end = true, before = 0 } = {}) {
  return async ({ response, vendor, asked }) => {
    await (typeof before === "number" ? rest(before) : before);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const event of typeof events === "function" ? events(vendor) : events) {
      if (response.destroyed) return;
      response.write(event);
      asked.sent += 1;
      await (wait > 0 ? rest(wait) : new Promise(setImmediate));
    }
    if (end === true) return response.end();
    if (end === false) return;
    // The bytes written so far must arrive before the connection is cut.
    await pause(25);
    response.destroy();
  };
}

/** A script that answers with an error. */
export function refuses(status, { retryAfter, message = "no" } = {}) {
  return ({ response, vendor }) => {
    response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": String(retryAfter) });
    const body = vendor === "workers_ai" ? { internalCode: 3040, description: message, name: "AiError" } : { error: { message } };
    response.end(JSON.stringify(body));
  };
}
