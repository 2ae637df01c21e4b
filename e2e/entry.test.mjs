// edge/worker/entry.js without the platform and without Rust: its behaviour after the module has trapped.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { beforeEach, test } from "node:test";

const dataUrl = (source) => `data:text/javascript,${encodeURIComponent(source)}`;

const PLATFORM = dataUrl("export class WorkerEntrypoint { constructor(ctx, env) { Object.assign(this, { ctx, env }); } }");
// The glue calls the functions that the test puts into `globalThis.rust`.
const GLUE = dataUrl(`
  export const __worker_init_state = () => globalThis.rust.state;
  export const __wbg_reset_state = () => globalThis.rust.log.push("reset");
  export const fetch = (...given) => globalThis.rust.fetch(...given);
  export const scheduled = (...given) => globalThis.rust.scheduled(...given);
  class Half {
    constructor(...given) { globalThis.rust.log.push("new", ...given); }
    fetch(request) { return globalThis.rust.fetch(request); }
    alarm() { return globalThis.rust.log.push("alarm"); }
  }
  export { Half as Conversation, Half as Librarian, Half as Meter };
`);

const listeners = {};
globalThis.addEventListener = (name, listener) => (listeners[name] = listener);
globalThis.rust = { state: { criticalError: false, instanceId: 1 } };
const entry = await readFile(new URL("../edge/worker/entry.js", import.meta.url), "utf8");
const source = entry.replace('"cloudflare:workers"', `"${PLATFORM}"`).replace('"bulle-glue"', `"${GLUE}"`);
const { default: Worker, Conversation } = await import(dataUrl(source));

const trap = () => {
  throw new WebAssembly.RuntimeError("unreachable");
};

beforeEach(() => {
  Object.assign(rust.state, { criticalError: false });
  Object.assign(rust, { log: [], fetch: (...given) => given, scheduled: (...given) => given });
});

test("a request and the clock reach Rust with the bindings and the context", () => {
  const worker = new Worker("ctx", "env");
  assert.deepEqual(worker.fetch("request"), ["request", "env", "ctx"]);
  assert.deepEqual(worker.scheduled("event"), ["event", "env", "ctx"]);
});

test("after a trap the module starts anew, and an object makes its Rust half anew, once", () => {
  const worker = new Worker("ctx", "env");
  const conversation = new Conversation("state", "env");
  assert.deepEqual(rust.log, ["new", "state", "env"]);
  rust.log = [];

  rust.fetch = trap;
  assert.throws(() => conversation.fetch("request"), WebAssembly.RuntimeError);
  rust.fetch = (...given) => given;
  assert.deepEqual(worker.fetch("request"), ["request", "env", "ctx"]);
  assert.deepEqual(rust.log, ["reset"]);
  conversation.alarm();
  assert.deepEqual(conversation.fetch("request"), ["request"]);
  assert.deepEqual(rust.log, ["reset", "new", "state", "env", "alarm"]);
});

test("a trap outside of a call is one, and an error is none", () => {
  const worker = new Worker("ctx", "env");
  listeners.error({ error: new Error("of a script") });
  worker.fetch("request");
  assert.deepEqual(rust.log, []);
  listeners.error({ error: new WebAssembly.RuntimeError("unreachable") });
  worker.fetch("request");
  worker.fetch("request");
  assert.deepEqual(rust.log, ["reset"]);

  rust.fetch = () => {
    throw new Error("of a handler");
  };
  assert.throws(() => worker.fetch("request"), /of a handler/);
  rust.fetch = (...given) => given;
  worker.fetch("request");
  assert.deepEqual(rust.log, ["reset"]);
});
