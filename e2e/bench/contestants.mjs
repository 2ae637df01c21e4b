// The servers that are measured: each makes visitors, and a visitor asks and reads the answer to its end.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Visitor, assemble, events, text, ulid } from "../support/client.mjs";
import { startDev } from "../support/dev.mjs";
import { ROOT, openDatabase } from "../support/edge.mjs";
import { freePort } from "../support/listen.mjs";
import { GENEROUS, Owner } from "../support/owner.mjs";
import { pause } from "../support/wait.mjs";
import { Workerd } from "./workerd.mjs";

/** Milliseconds until the first words and until the end, and the whole text. */
async function timed(send, read) {
  const started = performance.now();
  const response = await send();
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  let first;
  const text = await read(response, () => (first ??= performance.now() - started));
  return { first, total: performance.now() - started, text };
}

/** The text in OpenAI's chunks. */
async function chunks(response, begun) {
  let [text, rest] = ["", ""];
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      text += JSON.parse(line.slice(6)).choices[0]?.delta.content ?? "";
      begun();
    }
  }
  return text;
}

/** The text in Bulle's blocks. */
async function blocks(response, begun) {
  const list = [];
  for await (const event of events(response)) {
    if (event.event === "block") begun();
    list.push(event);
  }
  const last = list.at(-1);
  if (last?.event !== "done") throw new Error(`the stream ended with ${JSON.stringify(last)}`);
  return text(assemble(list));
}

const post = (url, body, headers = {}) =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });

/** The upstream itself, or a server that passes its response on. */
function passing(name, url) {
  const send = (question) => post(url, { model: "mock-1", stream: true, messages: [{ role: "user", content: question }] });
  return { name, visitor: async () => ({ ask: (question) => timed(() => send(question), chunks) }) };
}

export const direct = (upstream) => passing("the upstream itself", `${upstream.url}/chat/completions`);
export const empty = (hono) => passing("a Worker that only passes it on", `${hono.url}/pass`);

/** Visitors at one network address would share its limits. */
class Stranger extends Visitor {
  static count = 0;
  address = `10.${(Stranger.count += 1) >> 16}.${(Stranger.count >> 8) & 255}.${Stranger.count & 255}`;

  fetch(path, options = {}) {
    return super.fetch(path, { ...options, headers: { ...options.headers, "cf-connecting-ip": this.address } });
  }
}

export async function startBulle(upstream) {
  const edge = await startDev({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-bench", OPENAI_MODEL: "mock-1" } });
  try {
    const limits = { ...GENEROUS, tiers: { free: { per_minute: 1000, per_day: 10_000, memory: 3 } } };
    const owner = await Owner.with(edge, "bench", { limits });
    const knowledge = ["seed", "examples/digital-twin/knowledge", "--into", "bench/bot", "--url", edge.site];
    const database = openDatabase(edge);
    database.exec(execFileSync(process.env.BULLE_XTASK, knowledge, { cwd: ROOT, encoding: "utf8" }));
    database.close();
    const visitor = async () => {
      const me = await new Stranger(edge, { site: owner.site.key }).open();
      await me.conversation();
      return { ask: (question) => timed(() => me.post({ id: ulid(), text: question }), blocks) };
    };
    return { name: "Bulle", visitor, workerd: new Workerd(edge.port), stop: () => edge.stop() };
  } catch (error) {
    await edge.stop();
    throw error;
  }
}

/** The Worker of a folder in wrangler as `cargo xtask dev` starts it: a state folder of its own, a free port. */
async function startWorker(folder, { vars, schema = false }) {
  const [state, port] = [await mkdtemp(join(tmpdir(), "bulle-bench-")), await freePort()];
  const wrangler = (...args) => {
    const env = { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" };
    const child = spawn("wrangler", [...args, "--persist-to", state], { cwd: `${ROOT}/e2e/bench/${folder}`, env, stdio: ["ignore", "pipe", "pipe"] });
    child.log = "";
    for (const output of [child.stdout, child.stderr]) output.on("data", (data) => (child.log += data));
    child.ended = once(child, "exit");
    return child;
  };
  if (schema) {
    const made = wrangler("d1", "execute", "DB", "--local", "--yes", "--file", "schema.sql");
    const [code] = await made.ended;
    if (code !== 0) throw new Error(`the database of ${folder} could not be made:\n${made.log}`);
  }
  const set = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const server = wrangler("dev", "--ip", "127.0.0.1", "--port", String(port), ...set);
  const stop = async () => {
    server.kill("SIGTERM");
    await server.ended;
    await rm(state, { recursive: true, force: true });
  };
  try {
    const url = `http://localhost:${port}`;
    const answers = () => fetch(`${url}/health`).then((response) => response.ok, () => false);
    for (const started = Date.now(); !(await answers()); await pause(200)) {
      if (server.exitCode !== null || Date.now() - started > 120_000) throw new Error(`${folder} did not start:\n${server.log}`);
    }
    return { url, workerd: new Workerd(port), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The baseline in JavaScript; `object`: with a Durable Object for each conversation. */
export async function startHono(upstream, { object }) {
  const vars = { UPSTREAM: upstream.url, SECRET: "a secret of this bench, long enough to sign", OBJECT: object ? "1" : "" };
  const started = await startWorker("hono", { vars, schema: true });
  const visitor = async () => {
    const { token } = await (await post(`${started.url}/v1/sessions`, { site: "bench" })).json();
    const messages = `${started.url}/v1/conversations/${ulid()}/messages`;
    const send = (question) => post(messages, { id: ulid(), text: question }, { authorization: `Bearer ${token}` });
    return { ask: (question) => timed(() => send(question), chunks) };
  };
  return { name: object ? "Hono with an object" : "Hono", visitor, ...started };
}

/** The floor in Rust, which does nothing but pass the stream on through an object: as it is, and piece by piece. */
export async function startRust(upstream) {
  const started = await startWorker("rust", { vars: { UPSTREAM: upstream.url } });
  const passing = (name, how) => {
    const visitor = async () => {
      const url = `${started.url}/${how}/${ulid()}`;
      const send = (question) => post(url, { model: "mock-1", stream: true, messages: [{ role: "user", content: question }] });
      return { ask: (question) => timed(() => send(question), chunks) };
    };
    return { ...started, name, visitor };
  };
  return { passed: passing("Rust with an object, passed on", "passed"), pieces: passing("… each piece through Rust", "pieces"), stop: started.stop };
}
