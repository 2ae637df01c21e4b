// An OpenAI-compatible server that fails on demand. The test sets its behaviour before each question.
import { createServer } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { gate, pause } from "./wait.mjs";
import { listen } from "./listen.mjs";

const chunk = (delta, more = {}) =>
  `data: ${JSON.stringify({ id: "c", model: "mock-1", choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;

/** The bytes of a good streamed answer, a chunk a word. */
export function answer(words) {
  const parts = words.map((word) => chunk({ content: word }));
  const last = { id: "c", model: "mock-1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
  const usage = { id: "c", model: "mock-1", choices: [], usage: { prompt_tokens: 11, completion_tokens: words.length } };
  return [...parts, `data: ${JSON.stringify(last)}\n\n`, `data: ${JSON.stringify(usage)}\n\n`, "data: [DONE]\n\n"];
}

export async function startUpstream() {
  const upstream = { requests: [], closed: 0, behave: undefined };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const asked = JSON.parse(body);
    upstream.requests.push({ url: request.url, headers: request.headers, body: asked });
    response.once("close", () => (upstream.closed += 1));
    await upstream.behave(response, asked.messages.at(-1).content);
  });
  const port = await listen(server);
  upstream.url = `http://127.0.0.1:${port}/v1`;
  upstream.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return upstream;
}

/** Starts a stream; every part is sent as it is, with a pause after each. */
export async function stream(response, parts, { wait = 0, end = true } = {}) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const part of parts) {
    if (response.destroyed) return;
    response.write(part);
    await pause(wait);
  }
  if (end) response.end();
}

/**
 * Streams that send so many of these parts, and no further one until the test says so: what happens in the middle of an
 * answer happens there on a slow machine, too.
 */
export function paced(parts, sent = 0) {
  let more = gate();
  return {
    async behave(response) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      for (const [index, part] of parts.entries()) {
        while (index >= sent) await more.opened;
        response.write(part);
      }
      response.end();
    },
    /** Lets every stream go on to so many parts. */
    upTo(count) {
      sent = count;
      more.open();
      more = gate();
    },
    /** Lets every stream go on to its end. */
    rest() {
      this.upTo(parts.length);
    },
  };
}

/** Sends these bytes, lets them arrive, and cuts the connection. */
export async function cut(response, bytes) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  if (bytes.length > 0) response.write(bytes);
  await pause(15);
  response.destroy();
}

/** A TCP proxy to a local port, whose connections can be cut and refused: the network between page and edge. */
export async function startNetwork(port) {
  const sockets = new Set();
  let down = false;
  const server = createTcpServer((client) => {
    if (down) return client.resetAndDestroy();
    const edge = connect(port, "127.0.0.1");
    for (const [from, to] of [[client, edge], [edge, client]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => (sockets.delete(from), to.destroy()));
      from.pipe(to);
    }
  });
  const at = await listen(server);
  return {
    url: `http://localhost:${at}`,
    /** Cuts all connections; until `mend`, new ones are refused. */
    cut() {
      down = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend: () => (down = false),
    stop: () => server.close(),
  };
}
