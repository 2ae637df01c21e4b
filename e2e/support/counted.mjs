// The Worker with what it asks of the platform counted: reads and writes of KV, batches and rows of D1, requests to
// objects and their SQL, fetches, timers. GET /counts gives what was counted since the last one. The prototypes of the
// platform's own classes are wrapped, so that the Worker is the one that is published.
//
// Between /clock/stop and /clock/go time stands still: no timer of a second or more rings, and nothing in memory grows old.
// The counts are then the same on a slow machine.
import Worker, { Conversation as Owner, Gate, Librarian as Reader, Meter as Counter } from "../../edge/worker/build/index.js";

let counts = {};
/** The time at which the clock stands still, in Unix milliseconds. */
let stopped;
/** Timers from this many milliseconds on stand still, too. */
const LONG_MS = 1_000;
/** Cursors of objects' SQL: their rows are known when they have been read. */
let cursors = [];

const add = (name, by = 1) => (counts[name] = (counts[name] ?? 0) + by);

function take() {
  for (const cursor of cursors) {
    add("object rows read", cursor.rowsRead);
    add("object rows written", cursor.rowsWritten);
  }
  const taken = counts;
  [counts, cursors] = [{}, []];
  return taken;
}

/** Replaces a method of a class by one that sees the arguments before the call, and may look at what it gives. */
function wrap(owner, method, see) {
  const original = owner[method];
  const wrapped = function (...given) {
    return see(() => original.apply(this, given), given, this);
  };
  Object.defineProperty(owner, method, { value: wrapped, writable: true, configurable: true });
}

const counting = (name) => (call) => {
  add(name);
  return call();
};

const prototype = (object) => Object.getPrototypeOf(object);

/** What D1 says of the statements of one trip. */
async function trip(call, statements) {
  add("D1 trips");
  add("D1 statements", statements);
  const result = await call();
  for (const { results, meta } of [result].flat()) {
    add("D1 bytes", JSON.stringify(results ?? []).length);
    add("D1 rows read", meta?.rows_read ?? 0);
    add("D1 rows written", meta?.rows_written ?? 0);
  }
  return result;
}

const wrapped = new Set();
/** Wraps a class of the platform once. */
function once(name, how) {
  if (wrapped.has(name)) return;
  wrapped.add(name);
  how();
}

function countBindings(env) {
  once("env", () => {
    wrap(prototype(env.KV), "get", counting("KV reads"));
    wrap(prototype(env.KV), "getWithMetadata", counting("KV reads"));
    wrap(prototype(env.KV), "put", counting("KV writes"));
    wrap(prototype(env.KV), "delete", counting("KV writes"));
    wrap(prototype(env.FILES), "get", counting("R2 reads"));
    wrap(prototype(env.FILES), "put", counting("R2 writes"));
    wrap(prototype(env.DB), "batch", (call, [statements]) => trip(call, statements.length));
    for (const method of ["all", "run"]) wrap(prototype(env.DB.prepare("SELECT 1")), method, (call) => trip(call, 1));
    const { CONVERSATIONS: objects } = env;
    wrap(prototype(objects.get(objects.newUniqueId())), "fetch", counting("object requests"));
    wrap(globalThis, "fetch", counting("fetches"));
    wrap(globalThis, "setTimeout", (call, [, ms]) => {
      add("timers");
      return stopped !== undefined && ms >= LONG_MS ? 0 : call();
    });
    for (const [owner, method] of [[Date.prototype, "getTime"], [Date, "now"]]) {
      wrap(owner, method, (call) => {
        add("clock reads");
        return stopped ?? call();
      });
    }
  });
}

function countStorage({ storage }) {
  once("storage", () => {
    wrap(prototype(storage), "setAlarm", counting("alarms set"));
    wrap(prototype(storage), "deleteAlarm", counting("alarms deleted"));
    wrap(prototype(storage.sql), "exec", (call) => {
      add("object statements");
      const cursor = call();
      cursors.push(cursor);
      return cursor;
    });
  });
}

const counted = (Half) =>
  class extends Half {
    constructor(state, env) {
      countBindings(env);
      countStorage(state);
      super(state, env);
    }
  };

export const Conversation = counted(Owner);
export { Gate };
export const Librarian = counted(Reader);
export const Meter = counted(Counter);

export default class extends Worker {
  constructor(context, env) {
    countBindings(env);
    super(context, env);
  }

  fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/counts":
        return Response.json(take());
      case "/clock/stop":
        stopped = Date.now();
        return new Response();
      case "/clock/go":
        stopped = undefined;
        return new Response();
      default:
        return super.fetch(request);
    }
  }
}
