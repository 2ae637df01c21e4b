// `cargo xtask bench limits`, against real workerd: the requests that each store admits, of 10,000 of one visitor with
// 64 at once; and the time that the guard adds to a request. Prints tables.
import { startDev } from "../support/dev.mjs";
import { Visitor, ulid } from "../support/client.mjs";
import { GENEROUS, Owner } from "../support/owner.mjs";

const REQUESTS = 10_000;
const AT_ONCE = 64;
const PER_MINUTE = 100;

const edge = await startDev();
try {
  console.log(`This machine: one visitor, ${REQUESTS} requests, ${AT_ONCE} at once, ${PER_MINUTE} a minute allowed\n`);
  console.log(["", "seconds", "allowed", "admitted", "over", "requests/s"].map(cell).join(""));
  for (const store of ["kv", "exact"]) await flood(store);
  console.log(`\nThe guard, sequential requests, milliseconds\n`);
  console.log(["", "p50", "p95", "ratio of p50"].map(cell).join(""));
  await costs();
} finally {
  await edge.stop();
}

function cell(value, index) {
  return index === 0 ? String(value).padEnd(64) : String(value).padStart(13);
}

async function visitor(tenant, store, per_minute) {
  const owner = await Owner.with(edge, tenant, { limits: { ...GENEROUS, store, tiers: { free: { per_minute } }, address: { sessions_per_minute: 1000, messages_per_minute: 10_000, messages_per_day: 100_000 } } });
  return new Visitor(edge, { site: owner.site.key }).open();
}

/** The conversation does not exist, so that only the limiter is measured: an admitted message gets 404. */
function post(me) {
  return me.fetch(`/v1/conversations/${me.conversationId}/messages`, { method: "POST", body: { id: ulid(), text: "Bonjour" } });
}

async function flood(store) {
  const me = await visitor(`flood-${store}`, store, PER_MINUTE);
  me.conversationId = ulid();
  const started = performance.now();
  const admitted = [];
  let sent = 0;
  const worker = async () => {
    while (sent < REQUESTS) {
      sent += 1;
      const response = await post(me);
      await response.arrayBuffer();
      if (response.status === 404) admitted.push(performance.now());
      else if (response.status !== 429) throw new Error(`${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - started) / 1000;
  // The largest number that a sliding window may have admitted in this time.
  const allowed = PER_MINUTE * Math.ceil(seconds / 60);
  const over = Math.max(0, admitted.length - allowed);
  console.log([store, seconds.toFixed(1), allowed, admitted.length, over, Math.round(REQUESTS / seconds)].map(cell).join(""));
}

async function costs() {
  const [kv, exact] = [await visitor("cost-kv", "kv", 10_000), await visitor("cost-exact", "exact", 10_000)];
  for (const me of [kv, exact]) me.conversationId = ulid();
  const full = await visitor("cost-full", "kv", 1);
  full.conversationId = ulid();
  await post(full);
  const rows = [
    ["no guard: GET of an address with nothing behind it", () => fetch(`${edge.url}/nope`)],
    ["token, site, origin: GET of an address with a malformed id", () => kv.fetch("/v1/conversations/x/messages")],
    ["a message that memory refuses", () => post(full)],
    ["a message counted in kv, then 404 of its conversation", () => post(kv)],
    ["a message counted exactly, then 404 of its conversation", () => post(exact)],
  ];
  let baseline;
  for (const [name, request] of rows) {
    const times = [];
    for (let n = 0; n < 420; n += 1) {
      const started = performance.now();
      await (await request()).arrayBuffer();
      if (n >= 20) times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    const [p50, p95] = [times[times.length / 2], times[Math.floor(times.length * 0.95)]];
    baseline ??= p50;
    console.log([name, p50.toFixed(2), p95.toFixed(2), (p50 / baseline).toFixed(2)].map(cell).join(""));
  }
}
