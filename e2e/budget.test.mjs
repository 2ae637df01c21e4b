// Budgets of tokens and money with a real model server, memory by tier, and the refund of messages without an answer.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Visitor, events, ulid } from "./support/client.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { answer, paced, startUpstream, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

let upstream, edge;
before(async () => {
  upstream = await startUpstream();
  upstream.behave = (response) => stream(response, answer(["Oui", "."]));
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "gpt-4o-mini", MODEL_FIRST_TOKEN_MS: "1500" } });
});
after(async () => {
  upstream?.stop();
  await edge?.stop();
});

const open = (owner, more) => new Visitor(edge, { site: owner.site.key }).open(more);
const done = async (me) => (await me.ask("Bonjour ?")).at(-1).data;

describe("a budget", () => {
  test("pays answers until it is used up, then the documents answer, and the model is not asked", async () => {
    // An answer of 13 tokens reserves about 2,900 while it is being written.
    const owner = await Owner.with(edge, "tokens", { limits: { ...GENEROUS, budget: { tokens_per_day: 3_400 } } });
    const me = await open(owner);
    upstream.requests.length = 0;
    const first = await done(me);
    assert.deepEqual([first.provider, first.finish], ["openai", "stop"]);
    assert.equal(upstream.requests[0].body.max_tokens, 2_000);
    let paid = 1;
    for (let last = first; last.provider === "openai" && paid < 60; paid += 1) last = await done(me);
    assert.ok(paid > 10 && paid < 60, `${paid} answers`);
    const asked = upstream.requests.length;
    const later = await done(me);
    assert.deepEqual([later.provider, later.finish], ["extractive", "fallback"]);
    assert.equal(upstream.requests.length, asked);
    await until("the log says so", () => /openai was not asked: the budget bot\/bot\/tokens\/.* is exhausted/.test(edge.log()));
  });

  test("is never exceeded by answers that are written at once", async () => {
    const owner = await Owner.with(edge, "at-once", { limits: { ...GENEROUS, budget: { tokens_per_month: 6_000 } } });
    const visitors = await Promise.all(Array.from({ length: 12 }, () => open(owner)));
    await Promise.all(visitors.map((me) => me.conversation()));
    const pace = paced(answer(["Oui", "."]), 1);
    upstream.behave = pace.behave;
    let ended = 0;
    const asked = visitors.map(async (me) => {
      const last = await done(me);
      ended += 1;
      return last;
    });
    await until("the others are answered without the model", () => ended >= 10);
    pace.rest();
    const all = await Promise.all(asked);
    upstream.behave = (response) => stream(response, answer(["Oui", "."]));
    const paid = all.filter(({ provider }) => provider === "openai").length;
    assert.ok(paid === 2, `${paid} paid`);
    // The unused part of the reservation is free again.
    assert.equal((await done(visitors[0])).provider, "openai");
  });

  test("keeps what it has reserved for an answer that was stopped: nobody has counted it", async () => {
    const owner = await Owner.with(edge, "stopped", { limits: { ...GENEROUS, budget: { tokens_per_day: 4_000 } } });
    const me = await open(owner);
    upstream.behave = paced(answer(Array(50).fill("mot ")), 5).behave;
    const response = await me.post({ id: ulid(), text: "Bonjour ?" });
    for await (const { event } of events(response)) {
      if (event === "append") await me.fetch(`/v1/conversations/${me.conversationId}/cancel`, { method: "POST" });
    }
    upstream.behave = (response) => stream(response, answer(["Oui", "."]));
    assert.equal((await done(me)).finish, "fallback");
  });

  test("of money does not ask a model whose price nobody knows", async () => {
    const budget = { microusd_per_day: 1_000_000 };
    const owner = await Owner.with(edge, "priceless", { model: { name: "mystery-1" }, limits: { ...GENEROUS, budget } });
    const me = await open(owner);
    assert.equal((await done(me)).finish, "fallback");
    await until("the log says so", () => /money is bounded, and nobody knows what mystery-1 costs: set its `price`/.test(edge.log()));
    await owner.patch("/bots/bot", { settings: { model: { price: { input: 1_000_000, output: 2_000_000 } } } });
    assert.equal((await done(me)).finish, "stop");
  });

  test("of a tenant counts the money of all its bots, and what failed is given back", async () => {
    const owner = await Owner.with(edge, "money", { limits: GENEROUS });
    await owner.post("/bots", { id: "other", settings: { name: "Other", limits: GENEROUS } });
    const site = await owner.post("/sites", { bot_id: "other", origins: [edge.site] });
    // About one reservation of 2,000 tokens at $0.60 a million: $0.0013.
    await owner.patch("", { settings: { budget: { microusd_per_day: 1_500 } } });
    const [me, there] = [await open(owner), await new Visitor(edge, { site: site.key }).open()];
    upstream.behave = (response) => response.writeHead(500).end();
    // One more failure would open the circuit.
    for (let n = 0; n < 2; n += 1) assert.equal((await done(me)).finish, "fallback");
    upstream.behave = (response) => stream(response, answer(["Oui", "."]));
    assert.equal((await done(me)).provider, "openai");
    assert.equal((await done(there)).provider, "openai");
    await owner.patch("", { settings: { budget: { microusd_per_day: 5 } } });
    for (const visitor of [me, there]) assert.equal((await done(visitor)).finish, "fallback");
    await owner.patch("", { settings: { budget: null } });
    assert.equal((await done(there)).provider, "openai");
    assert.equal(upstream.requests.at(-1).body.max_tokens, undefined);
  });
});

describe("a tier", () => {
  test("decides how much of the conversation the model is given", async () => {
    const tiers = { free: { per_minute: 100, memory: 1 }, premium: { per_minute: 100 } };
    const owner = await Owner.with(edge, "memory", { limits: { ...GENEROUS, tiers } });
    const { secret } = await owner.post("/identity-secrets");
    const identity = jwt(secret, { sub: "1", tier: "premium", exp: inSeconds(600) });
    for (const [me, remembered] of [[await open(owner), 1], [await open(owner, { identity }), 3]]) {
      for (let n = 0; n < 4; n += 1) await done(me);
      const { messages } = upstream.requests.at(-1).body;
      assert.equal(messages.filter(({ role }) => role === "assistant").length, remembered);
    }
  });
});

describe("a message that came to nothing", () => {
  test("is not counted against the day", async () => {
    const owner = await Owner.with(edge, "nothing", { limits: { ...GENEROUS, tiers: { free: { per_minute: 100, per_day: 3 } } } });
    const me = await open(owner);
    upstream.behave = (response) => response.writeHead(503).end();
    const id = ulid();
    for (const retry of [false, true]) assert.equal((await me.ask("Quel est le prix du pain ?", id, { retry })).at(-1).data.provider, "persona");
    upstream.behave = (response) => stream(response, answer(["Oui", "."]));
    assert.equal((await me.ask("Quel est le prix du pain ?", id, { retry: true })).at(-1).data.remaining.day, 2);
    assert.equal((await done(me)).remaining.day, 1);
    assert.equal((await done(me)).remaining.day, 0);
    assert.equal((await me.post({ id: ulid(), text: "Bonjour ?" })).status, 429);
  });
});
