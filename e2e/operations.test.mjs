// What a message asks of the platform, counted and not timed: see docs/performance.md. A number that grows is a cost for
// every visitor; a number that falls is written down here.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Visitor, events, ulid } from "./support/client.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { answer, startUpstream } from "./support/upstream.mjs";
import { pause, until } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const words = (count) => Array.from({ length: count }, (_, n) => `mot${n} `);

let upstream, edge, owner;
before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({ entry: "counted", vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  owner = await Owner.with(edge, "counted", { limits: GENEROUS });
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

/** What a call costs, and how often the clock is read, while time stands still; before it, what is to be warm is `warm`. */
async function costs(warm, call) {
  await fetch(`${edge.url}/clock/stop`);
  try {
    await warm?.();
    await settled();
    await call();
    const { "clock reads": clock, ...counts } = await settled();
    return { counts, clock };
  } finally {
    await fetch(`${edge.url}/clock/go`);
  }
}

/** Asks; the model sends each word when the visitor has read the one before it, so that each is a piece of its own. */
async function ask(me, count, { id = ulid(), text = QUESTION } = {}) {
  let told = "";
  upstream.behave = async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const [n, part] of answer(words(count)).entries()) {
      response.write(part);
      if (n < count) await until(`word ${n} is told`, () => n === 0 || told.includes(`mot${n - 1}`), { every: 1 });
    }
    response.end();
  };
  const response = await me.post({ id, text });
  assert.equal(response.status, 200);
  const list = [];
  for await (const event of events(response)) {
    list.push(event);
    told += JSON.stringify(event.data);
  }
  assert.equal(list.at(-1).event, "done", JSON.stringify(list.at(-1)));
  return list;
}

/** Asks in a conversation, and begins another one: what the visitor's shards need is in memory then. */
async function elsewhere(me, text = QUESTION) {
  await ask(me, 2, { text });
  await me.conversation();
}

const newVisitor = async (options) => {
  const me = await new Visitor(edge, options).open();
  await me.conversation();
  return me;
};

/** A visitor whom the site's server has identified, of a tier without a limit of the day. */
async function knownVisitor() {
  const { id, secret } = await owner.post("/identity-secrets", {});
  const identity = jwt(secret, { sub: ulid(), tier: "premium", exp: inSeconds(600) }, { alg: "HS256", typ: "JWT", kid: id });
  const me = await new Visitor(edge, { site: owner.site.key }).open({ identity });
  await me.conversation();
  return me;
}

/** What D1 gives for the question above: of 40 chunks what ranking needs, and the texts of 12. */
const SEARCHED = { "D1 rows read": 226, "D1 bytes": 16_990 };

/** What every answered message costs: one search, one batch; no write to KV and, where the isolate is warm, no read. */
const MESSAGE = {
  "D1 trips": 2,
  "D1 statements": 6,
  "D1 rows written": 8,
  fetches: 1,
  // The model's deadline, and the silences of the stream.
  timers: 2,
};

/** The conversation's object, and a shard of the meter for the visitor and one for the network address. */
const ANONYMOUS = { ...MESSAGE, "object requests": 3 };

describe("what a message asks of the platform", () => {
  test("the first of a conversation, and the next one", async () => {
    const me = await newVisitor();
    const first = await costs(() => elsewhere(me), () => ask(me, 20));
    // The turn, its end, two batches of events, and a message in each shard. An alarm is written, too, and the tables are there.
    assert.deepEqual(first.counts, { ...ANONYMOUS, ...SEARCHED, "object statements": 6, "object rows written": 6, "object rows read": 2, "alarms set": 1 });
    const next = await costs(undefined, () => ask(me, 20));
    assert.deepEqual(next.counts, { ...ANONYMOUS, ...SEARCHED, "object statements": 7, "object rows written": 6, "object rows read": 7 });
  });

  test("of a visitor whom the site knows", async () => {
    const me = await knownVisitor();
    const { counts } = await costs(() => ask(me, 2), () => ask(me, 20));
    assert.deepEqual(counts, { ...MESSAGE, "object requests": 2, "D1 rows read": 16, "D1 bytes": 47, "object statements": 6, "object rows written": 5, "object rows read": 7 });
  });

  test("a long stream costs a row for each eight pieces, and nothing else", async () => {
    const me = await newVisitor();
    const { counts, clock } = await costs(() => ask(me, 2), () => ask(me, 100));
    assert.deepEqual(counts, { ...ANONYMOUS, ...SEARCHED, "object statements": 17, "object rows written": 16, "object rows read": 7 });
    assert.ok(clock < 300, `the clock was read ${clock} times`);
  });

  test("a cached answer asks for no search and no model", async () => {
    const cached = await Owner.with(edge, "cached", { limits: GENEROUS, answers: { cache_seconds: 600 } });
    const [one, other] = [await newVisitor({ site: cached.site.key }), await newVisitor({ site: cached.site.key })];
    const warm = async () => {
      await ask(one, 20);
      await elsewhere(other, "Une autre question ?");
    };
    // Whether the stream's own timer is set depends on how soon the answer is there.
    const { counts: { timers: _, ...counts } } = await costs(warm, () => ask(other, 20));
    assert.deepEqual(counts, {
      "object requests": 3, "object statements": 5, "object rows written": 5, "object rows read": 2, "alarms set": 1,
      "KV reads": 1, "D1 trips": 1, "D1 statements": 4, "D1 rows read": 7, "D1 rows written": 8, "D1 bytes": 43,
    });
  });

  test("a replay reads what the object has", async () => {
    const me = await newVisitor();
    const { counts } = await costs(() => ask(me, 20), () => me.attach());
    assert.deepEqual(counts, { "object requests": 1, "object statements": 3, "object rows read": 6, "object rows written": 0 });
  });

  test("a message that is sent again costs no more than a replay", async () => {
    const me = await newVisitor();
    const id = ulid();
    const { counts } = await costs(() => ask(me, 20, { id }), () => ask(me, 20, { id }));
    assert.deepEqual(counts, { "object requests": 1, "object statements": 3, "object rows read": 6, "object rows written": 0 });
  });

  test("a refused message costs nothing where the isolate knows enough", async () => {
    const strict = await Owner.with(edge, "strict", { limits: { ...GENEROUS, tiers: { free: { per_minute: 1 } } } });
    const me = await newVisitor({ site: strict.site.key });
    const refusal = async (body, status) => {
      const response = await me.post({ id: ulid(), ...body });
      assert.equal(response.status, status);
      await response.text();
    };
    assert.deepEqual((await costs(() => ask(me, 2), () => refusal({ text: "" }, 400))).counts, {});
    assert.deepEqual((await costs(() => undefined, () => refusal({ text: QUESTION }, 429))).counts, {});
  });

  test("a message over the limit of the day is refused by its shard, and stored nowhere", async () => {
    const strict = await Owner.with(edge, "daily", { limits: { ...GENEROUS, tiers: { free: { per_minute: 100, per_day: 1 } } } });
    const me = await newVisitor({ site: strict.site.key });
    const { counts } = await costs(() => ask(me, 2), async () => {
      const response = await me.post({ id: ulid(), text: QUESTION });
      assert.equal(response.status, 429);
      assert.equal((await response.json()).code, "quota_exceeded");
    });
    // The conversation, both shards, and the address's shard again, which takes the message back.
    assert.equal(counts["object requests"], 4);
    assert.deepEqual([counts["D1 rows written"] ?? 0, counts.fetches ?? 0], [0, 0]);
  });
});
