// What a message asks of the platform, counted and not timed: see docs/performance.md. A number that grows is a cost for
// every visitor; a number that falls is written down here.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Visitor, ulid } from "./support/client.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";
import { pause } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const words = (count) => Array.from({ length: count }, (_, n) => `mot${n} `);

let upstream, edge;
before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({ entry: "counted", vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
});
after(async () => {
  upstream?.stop();
  await edge?.stop();
});

/** What was counted since the last call, once nothing more is. */
async function settled() {
  const sum = {};
  for (let quiet = 0; quiet < 4; quiet += 1) {
    const counts = await (await fetch(`${edge.url}/counts`)).json();
    if (Object.keys(counts).some((name) => name !== "clock reads")) quiet = 0;
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
    await pause(50);
  }
  return sum;
}

/** What one call costs. */
async function costs(call) {
  await settled();
  await call();
  return settled();
}

/** Without what depends on how the pieces of a stream arrive. */
function exact({ timers, "clock reads": clock, "object statements": statements, "object rows read": read, "object rows written": written, ...rest }) {
  return rest;
}

/** A message of a visitor whose minutes are counted in KV, answered by a model after a search. */
const MESSAGE = {
  "KV reads": 4,
  "KV writes": 2,
  "object requests": 2,
  "D1 trips": 3,
  "D1 statements": 8,
  "D1 rows read": 149,
  "D1 rows written": 11,
  fetches: 1,
};

describe("what a message asks of the platform", () => {
  test("the first of a conversation sets the alarm, and the next one leaves it", async () => {
    upstream.behave = (response) => stream(response, answer(words(20)));
    const me = await new Visitor(edge).open();
    await me.conversation();
    const first = await costs(() => me.ask(QUESTION));
    // Its own, and the tenant's meter's, which sets one for as long as its isolate lives.
    assert.deepEqual(exact(first), { ...MESSAGE, "alarms set": 2 });
    const next = await costs(() => me.ask(QUESTION));
    assert.deepEqual(exact(next), MESSAGE);
    // A batch of events a row: at most one for each of the 20 pieces.
    assert.ok(next["object statements"] <= 32, JSON.stringify(next));
    assert.ok(next["object rows written"] <= 30, JSON.stringify(next));
  });

  test("a long stream costs timers and rows of events, and nothing else", async () => {
    upstream.behave = (response) => stream(response, answer(words(100)), { wait: 5 });
    const me = await new Visitor(edge).open();
    await me.ask(QUESTION);
    const long = await costs(() => me.ask(QUESTION));
    assert.deepEqual(exact(long), MESSAGE);
    assert.ok(long.timers <= 110, JSON.stringify(long));
  });

  test("a replay reads what the object has", async () => {
    upstream.behave = (response) => stream(response, answer(words(20)));
    const me = await new Visitor(edge).open();
    const id = ulid();
    await me.ask(QUESTION, id);
    const replay = await costs(() => me.attach());
    assert.deepEqual(exact(replay), { "KV reads": 1, "object requests": 1 });
    assert.deepEqual([replay["object statements"], replay["object rows written"]], [2, 0]);
  });

  test("a refusal asks the model nothing", async () => {
    const me = await new Visitor(edge).open();
    await me.conversation();
    const refused = await costs(async () => {
      const response = await me.post({ id: ulid(), text: "" });
      assert.equal(response.status, 400);
    });
    assert.deepEqual(exact(refused), { "KV reads": 1 });
  });
});
