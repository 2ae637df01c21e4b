// A machine that has too little time, or dies: what the model has answered is told all the same, and what was told is kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rm } from "node:fs/promises";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { Visitor, assemble, events, text, ulid } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, paced, startUpstream, stream } from "./support/upstream.mjs";
import { gate, pause, until } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const STREAMS = Number(process.env.BULLE_STREAMS ?? 500);

let upstream, edge, owner, state, database;
before(async () => {
  upstream = await startUpstream();
  state = await stateFolder();
  edge = await startEdge({ state, vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  owner = await Owner.with(edge, "crowded", { limits: { ...GENEROUS, budget: { tokens_per_day: 20_000_000 } } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  upstream?.stop();
  await edge?.kill();
  await rm(state, { recursive: true, force: true });
});

const visitor = async () => {
  const me = await new Visitor(edge, { site: owner.site.key }).open();
  await me.conversation();
  return me;
};

/** How the answers of these visitors ended, counted. */
async function counted(visitors, said) {
  upstream.requests.length = 0;
  const ends = {};
  const count = (end) => (ends[end] = (ends[end] ?? 0) + 1);
  await Promise.all(visitors.map(async (me) => {
    try {
      const list = await me.ask(QUESTION);
      const { event, data } = list.at(-1) ?? {};
      count(text(assemble(list)) === said ? `${event} ${data.finish}` : `${event} ${data?.finish ?? data?.code}, other words`);
    } catch (error) {
      count(`no stream: ${error.message.slice(0, 60)}`);
    }
  }));
  return { ...ends, "asked the model": upstream.requests.length };
}

test(`${STREAMS} answers at once: none is lost`, async (t) => {
  const words = Array.from({ length: 40 }, (_, n) => `mot${n} `);
  upstream.behave = (response) => stream(response, answer(words), { wait: 20 });
  const visitors = [];
  while (visitors.length < STREAMS) visitors.push(...(await Promise.all(Array.from({ length: Math.min(20, STREAMS - visitors.length) }, visitor))));
  const start = performance.now();
  const ends = await counted(visitors, words.join("").trim());
  t.diagnostic(`counts: ${STREAMS} at once: ${JSON.stringify(ends)} in ${Math.round((performance.now() - start) / 1000)} s`);
  assert.deepEqual(ends, { "done stop": STREAMS, "asked the model": STREAMS });
});

test("an edge that stands still for 11 seconds loses no answer, and blames no model", async (t) => {
  const words = ["J'ai ", "8 ans."];
  upstream.behave = (response) => stream(response, answer(words));
  const total = {};
  for (const wait of [15, 25, 40]) {
    const visitors = await Promise.all(Array.from({ length: 4 }, visitor));
    const asked = counted(visitors, "J'ai 8 ans.");
    await pause(wait);
    assert.ok((await edge.halt(11_000)).processes > 0);
    for (const [end, n] of Object.entries(await asked)) total[end] = (total[end] ?? 0) + n;
  }
  t.diagnostic(`counts: stood still for 11 s: ${JSON.stringify(total)}`);
  assert.deepEqual(total, { "done stop": 12, "asked the model": 12 });
  const { n } = database.prepare("SELECT count(*) AS n FROM model_call WHERE tenant_id = 'crowded' AND outcome <> 'answered'").get();
  assert.equal(n, 0);
});

test("200 messages of one visitor at once, on an edge that stands still then: those that are admitted are answered", async (t) => {
  const words = ["J'ai ", "8 ans."];
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(words));
  const limited = await Owner.with(edge, "one", { limits: { tiers: { free: { per_minute: 10 } }, address: GENEROUS.address, budget: { tokens_per_day: 20_000_000 } } });
  const me = await new Visitor(edge, { site: limited.site.key }).open();
  const conversations = await Promise.all(Array.from({ length: 200 }, async () => (await (await me.fetch("/v1/conversations", { method: "POST" })).json()).id));
  const ends = {};
  const asked = conversations.map(async (id) => {
    const response = await me.fetch(`/v1/conversations/${id}/messages`, { method: "POST", body: { id: ulid(), text: QUESTION } });
    const list = response.status === 200 ? await Array.fromAsync(events(response)) : (await response.body.cancel(), []);
    const end = response.status === 200 ? `${list.at(-1).event} ${list.at(-1).data.finish}` : String(response.status);
    ends[end] = (ends[end] ?? 0) + 1;
  });
  await until("the model is asked", () => upstream.requests.length > 0);
  await edge.halt(11_000);
  await Promise.all(asked);
  const { n } = database.prepare("SELECT count(*) AS n FROM model_call WHERE tenant_id = 'one' AND outcome <> 'answered'").get();
  t.diagnostic(`counts: 200 of one visitor: ${JSON.stringify(ends)}, ${upstream.requests.length} asked the model, ${n} calls failed`);
  assert.equal(ends["done stop"] + ends["429"], 200, JSON.stringify(ends));
  assert.ok(ends["done stop"] >= 10, JSON.stringify(ends));
  assert.deepEqual([upstream.requests.length, n], [ends["done stop"], 0]);
});

test("a machine that is killed in the middle of an answer keeps what the visitor has read", async (t) => {
  const words = Array.from({ length: 30 }, (_, n) => `mot${n} `);
  /** A few words at once, or one every quarter of a second. */
  const scripts = [
    ["quickly", { wait: 15 }, 7],
    ["slowly", { wait: 260 }, 0],
  ];
  for (const [how, pace, behind] of scripts) {
    const rest = gate();
    const most = how === "quickly" ? 25 : 6;
    upstream.behave = async (response) => {
      await stream(response, answer(words).slice(0, most), { ...pace, end: false });
      await rest.opened;
    };
    const me = await visitor();
    const response = await me.post({ id: ulid(), text: QUESTION });
    const seen = [];
    for await (const event of events(response)) {
      seen.push(event);
      if (text(assemble(seen)).includes(`mot${most - 1}`)) break;
    }
    database.close();
    await edge.kill();
    rest.open();
    edge = await startEdge({ state, port: edge.port, vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
    database = openDatabase(edge);
    me.edge = owner.edge = edge;
    const kept = text(assemble(await me.attach()));
    const read = text(assemble(seen));
    const lost = read.trim().split(" ").length - kept.trim().split(" ").length;
    t.diagnostic(`counts: killed, ${how}: ${read.length} characters read, ${kept.length} kept, ${lost} words behind`);
    assert.ok(read.startsWith(kept.trim()) && lost <= behind, `${how}: ${kept} of ${read}`);
    await until("it is in the record", async () => (await me.history()).items.length === 2);
    assert.equal(text((await me.history()).items[1].blocks).trim(), kept.trim());
  }
});

test("more answers than the machine is to write are refused before they cost anything", async () => {
  const few = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock", MOST_ANSWERS: "3" } });
  try {
    const tenant = await Owner.with(few, "few", { limits: GENEROUS });
    const pace = paced(answer(["un ", "deux"]), 1);
    upstream.requests.length = 0;
    upstream.behave = pace.behave;
    const visitors = await Promise.all(Array.from({ length: 5 }, async () => {
      const me = await new Visitor(few, { site: tenant.site.key }).open();
      await me.conversation();
      return me;
    }));
    const answers = await Promise.all(visitors.map((me) => me.post({ id: ulid(), text: QUESTION })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 503, 503]);
    const refused = answers.findIndex(({ status }) => status === 503);
    assert.equal(answers[refused].headers.get("retry-after"), "10");
    assert.equal((await answers[refused].json()).code, "overloaded");
    await until("the model is asked three times", () => upstream.requests.length === 3);
    assert.deepEqual((await visitors[refused].history()).items, []);
    pace.rest();
    for (const response of answers.filter(({ status }) => status === 200)) {
      const list = await Array.fromAsync(events(response));
      assert.equal(list.at(-1).event, "done");
    }
    await until("there is room again", async () => {
      const response = await visitors[refused].post({ id: ulid(), text: QUESTION });
      await response.text();
      return response.status === 200;
    });
  } finally {
    await few.stop();
  }
});
