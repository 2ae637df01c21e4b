// A model that answers at once or at a pace: OpenAI's protocol, in a thread of its own. The question sets tokens and
// pause: "… 20 tokens, 0 ms". The server itself does no costly work, so that only its client is measured.
import { once } from "node:events";
import { createServer } from "node:http";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { answer } from "../support/upstream.mjs";

/** The words of an answer, in paragraphs as models write them. */
export function words(tokens) {
  return Array.from({ length: tokens }, (_, n) => `word${n}${n % 40 === 39 ? ".\n\n" : " "}`);
}

export const ask = (tokens, ms) => `Quelle est ton expérience avec Kubernetes ? ${tokens} tokens, ${ms} ms`;

export async function startUpstream() {
  const thread = new Worker(new URL(import.meta.url));
  const [port] = await once(thread, "message");
  return { url: `http://127.0.0.1:${port}/v1`, stop: () => thread.terminate() };
}

const prepared = new Map();

function parts(tokens) {
  if (!prepared.has(tokens)) prepared.set(tokens, answer(words(tokens)).map((part) => Buffer.from(part)));
  return prepared.get(tokens);
}

async function respond(request, response) {
  let body = "";
  for await (const piece of request) body += piece;
  const [, tokens, ms] = JSON.parse(body).messages.at(-1).content.match(/(\d+) tokens, (\d+) ms/).map(Number);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const all = parts(tokens);
  if (ms === 0) return response.end(Buffer.concat(all));
  let sent = 0;
  const timer = setInterval(() => {
    response.write(all[sent]);
    sent += 1;
    if (sent < all.length) return;
    clearInterval(timer);
    response.end();
  }, ms);
  response.once("close", () => clearInterval(timer));
}

if (!isMainThread) {
  const server = createServer({ keepAliveTimeout: 600_000 }, respond);
  server.listen(0, "127.0.0.1", 1024, () => parentPort.postMessage(server.address().port));
}
