// The Worker as the platform sees it: a class for requests and one for each Durable Object, around the glue of the Rust
// module.
//
// A panic in Rust ends in a trap (`WebAssembly.RuntimeError`), after which nothing in the module's memory can be relied
// on. The isolate lives on, so the next call starts the module anew, and an object makes its Rust half anew from the
// arguments of its constructor. What the objects have stored is where it was.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as rust from "bulle-glue";

// The names of Rust functions between a panic and the request are more than the ten that are the default.
Error.stackTraceLimit = 100;

/** Shared with the crate `worker`: its panic hook sets `criticalError`, its start function counts `instanceId`. */
const state = rust.__worker_init_state();

function noteTrap(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  console.error("Critical", error);
  state.criticalError = true;
}

// What is awaited in Rust continues outside of any call, in a microtask: a trap there is a rejection that nobody handles, or
// an error of the isolate.
addEventListener("error", (event) => noteTrap(event.error));
addEventListener("unhandledrejection", (event) => noteTrap(event.reason));

// Rust continues in a microtask whenever something has come. `queueMicrotask` of workerd calls into C++ and wraps its
// function there; a promise that has settled does the same for less.
const settled = Promise.resolve();
globalThis.queueMicrotask = (task) => void settled.then(task);

/** Calls into the module, which is started anew first when it has trapped. */
function guarded(call) {
  if (state.criticalError) {
    console.log("The Rust module has trapped: it starts anew");
    rust.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  }
  try {
    return call();
  } catch (error) {
    noteTrap(error);
    throw error;
  }
}

/** A Durable Object around its Rust half. */
const durable = (Half) => class {
  #arguments;
  #half;
  #instance;

  constructor(...given) {
    this.#arguments = given;
    this.#call((half) => half);
  }

  fetch(request) {
    return this.#call((half) => half.fetch(request));
  }

  alarm() {
    return this.#call((half) => half.alarm());
  }

  #call(method) {
    return guarded(() => {
      if (this.#instance !== state.instanceId) {
        this.#half = new Half(...this.#arguments);
        this.#instance = state.instanceId;
      }
      return method(this.#half);
    });
  }
};

export const Conversation = durable(rust.Conversation);
export const Gate = durable(rust.Gate);
export const Librarian = durable(rust.Librarian);
export const Meter = durable(rust.Meter);

export default class extends WorkerEntrypoint {
  fetch(request) {
    return guarded(() => rust.fetch(request, this.env, this.ctx));
  }

  scheduled(event) {
    return guarded(() => rust.scheduled(event, this.env, this.ctx));
  }
}
