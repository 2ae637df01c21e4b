// Answers of a model that are corrected, answers from the cache, and suggestions of next questions.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const CITED = ["J'ai ", "huit ans d'expérience avec Kubernetes ", "[1]."];

let upstream, edge, database, owner;
before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  database = openDatabase(edge);
  // The bot of the examples, which has documents.
  owner = new Owner(edge, "maelle-kervadec");
  await owner.patch("/bots/digital-twin", { settings: { limits: GENEROUS } });
});
after(async () => {
  database?.close();
  upstream?.stop();
  await edge?.stop();
});

/** The model answers with these texts, one after the other; the last one is repeated. */
function says(...all) {
  upstream.requests.length = 0;
  let n = 0;
  upstream.behave = (response) => stream(response, typeof all[0] === "function" ? all[0](n++) : answer(all[Math.min(n++, all.length - 1)]));
}

/** Answers under these settings, which are restored afterwards. */
async function withAnswers(answers, run) {
  await owner.patch("/bots/digital-twin", { settings: { answers } });
  try {
    await run();
  } finally {
    await owner.patch("/bots/digital-twin", { settings: { answers: null } });
  }
}

const open = (more) => new Visitor(edge, more).open();
const said = (list) => text(assemble(list)).trim();
const last = (list) => list.at(-1).data;
const event = (list, name) => list.find((one) => one.event === name)?.data;

describe("an answer without citations, where they are required", () => {
  test("is never seen, and asked for again", () =>
    withAnswers({ citations_required: true }, async () => {
      says(["J'ai beaucoup d'expérience avec Kubernetes, crois-moi. Vraiment beaucoup."], CITED);
      const list = await (await open()).ask(QUESTION);
      assert.equal(said(list), CITED.join(""));
      assert.equal(list.filter((one) => one.event === "start").length, 1);
      assert.ok(!JSON.stringify(list).includes("crois-moi"));
      assert.equal(upstream.requests.length, 2);
      assert.notEqual(upstream.requests[0].body.messages[0].content, upstream.requests[1].body.messages[0].content);
      assert.ok(event(list, "sources").items.length > 0);
    }));

  test("twice, leaves the word to the documents", () =>
    withAnswers({ citations_required: true }, async () => {
      says(["J'ai beaucoup d'expérience avec Kubernetes, crois-moi. Vraiment beaucoup."]);
      const list = await (await open()).ask(QUESTION);
      assert.deepEqual([last(list).provider, last(list).finish], ["extractive", "fallback"]);
      assert.equal(upstream.requests.length, 2);
      assert.ok(!JSON.stringify(list).includes("crois-moi"));
    }));
});

describe("an answer in another language", () => {
  const ENGLISH = ["I have worked with Kubernetes for eight years, ", "and I have run nine production clusters ", "for a large retailer since then [1]."];

  test("is taken back and given in the visitor's", async () => {
    says(ENGLISH, CITED);
    const list = await (await open()).ask(QUESTION);
    assert.equal(said(list), CITED.join(""));
    assert.equal(upstream.requests.length, 2);
    assert.equal(last(list).finish, "stop");
  });

  test("is what an English visitor wants", async () => {
    says(ENGLISH);
    const list = await (await open({ locale: "en" })).ask("What is your experience with Kubernetes, in a few words?");
    assert.equal(said(list), ENGLISH.join(""));
    assert.equal(upstream.requests.length, 1);
  });
});

describe("suggestions", () => {
  test("come from the model's last line, which nobody sees", async () => {
    says([...CITED, "\n\n<ne", "xt>Combien de clusters ? | Depuis quand ?</ne", "xt>"]);
    const list = await (await open()).ask(QUESTION);
    assert.equal(said(list), CITED.join(""));
    assert.ok(!JSON.stringify(list.filter((one) => one.event !== "suggestions")).includes("next"));
    assert.deepEqual(event(list, "suggestions").items, ["Combien de clusters ?", "Depuis quand ?"]);
  });

  test("come from the documents when the model has none, and from nobody when the owner wants none", async () => {
    says(CITED);
    const list = await (await open()).ask(QUESTION);
    const { items } = event(list, "suggestions");
    assert.ok(items.length > 0 && items.length <= 3, JSON.stringify(items));
    assert.ok(!items.includes(QUESTION));
    await withAnswers({ suggestions: false }, async () => {
      assert.equal(event(await (await open()).ask(QUESTION), "suggestions"), undefined);
    });
  });
});

test("confidence is told from evidence: more where the documents speak", async () => {
  says(CITED);
  const known = last(await (await open()).ask(QUESTION)).confidence;
  says(["Je ne sais pas trop, mais le ciel est sans doute bleu ce matin."]);
  const unknown = last(await (await open()).ask("Quelle est la recette de la tarte aux abricots de ta grand-mère ?")).confidence;
  assert.ok(known > 0.5 && known <= 1, `${known}`);
  assert.ok(unknown === undefined || unknown < known / 2, `${unknown}`);
});

test("an answer at its limit is continued, once", async () => {
  const cut = (words) => answer(words).map((part) => part.replace('"finish_reason":"stop"', '"finish_reason":"length"'));
  says((n) => (n === 0 ? cut(["J'ai huit ans ", "d'expérience "]) : answer(["avec Kubernetes ", "[1]."])));
  const list = await (await open()).ask(QUESTION);
  assert.equal(said(list), "J'ai huit ans d'expérience avec Kubernetes [1].");
  assert.deepEqual([last(list).finish, upstream.requests.length], ["stop", 2]);
  const asked = upstream.requests[1].body.messages;
  assert.ok(asked.some(({ role, content }) => role === "assistant" && content.includes("huit ans d'expérience")));
  // The tokens of both calls are counted.
  assert.equal(last(list).usage.input_tokens, 22);
  says((n) => cut([`partie ${n} `]));
  assert.equal(last(await (await open()).ask(QUESTION)).finish, "length");
  assert.equal(upstream.requests.length, 2);
});

describe("the cache of answers", () => {
  test("answers a first question again, with its sources, until something changes", () =>
    withAnswers({ cache_seconds: 600 }, async () => {
      says(CITED);
      const first = await (await open()).ask(QUESTION);
      const me = await open();
      const again = await me.ask("quelle est ton expérience avec  Kubernetes");
      assert.equal(upstream.requests.length, 1);
      assert.deepEqual([last(first).cached, last(again).cached], [undefined, true]);
      assert.deepEqual([said(again), event(again, "sources")], [said(first), event(first, "sources")]);
      assert.deepEqual(last(again).usage, { input_tokens: 0, output_tokens: 0 });
      // The answer to a later question depends on the conversation, so it is not cached.
      await me.ask(QUESTION);
      assert.equal(upstream.requests.length, 2);
      // With other settings, the model is asked again.
      await owner.patch("/bots/digital-twin", { settings: { persona: { tone: "curt" } } });
      assert.equal(last(await (await open()).ask(QUESTION)).cached, undefined);
      assert.equal(upstream.requests.length, 3);
    }));

  test("is off by default, and keeps nothing that was not whole", async () => {
    says(CITED);
    await (await open()).ask(QUESTION);
    await (await open()).ask(QUESTION);
    assert.equal(upstream.requests.length, 2);
    await withAnswers({ cache_seconds: 600 }, async () => {
      says((n) => (n === 0 ? answer(CITED).slice(0, 2) : answer(CITED)));
      assert.equal((await (await open()).ask(QUESTION)).at(-1).event, "error");
      assert.equal(last(await (await open()).ask(QUESTION)).cached, undefined);
    });
  });
});

test("a long conversation is remembered by its summary", async () => {
  const long = "mot ".repeat(900);
  upstream.requests.length = 0;
  // The prompt of a summary does not contain the persona.
  const isSummary = ({ body }) => !body.messages[0].content.includes("You are Maëlle");
  upstream.behave = (response) => stream(response, answer([isSummary(upstream.requests.at(-1)) ? "La visiteuse s'appelle Ada." : long]));
  const me = await open({ locale: "fr" });
  await owner.patch("/bots/digital-twin", { settings: { limits: { tiers: { free: { per_minute: 1000, memory: null } } } } });
  await me.ask("Je m'appelle Ada.");
  for (let n = 0; n < 9; n += 1) await me.ask(`Et encore ${n} ?`);
  const summaries = upstream.requests.filter(isSummary);
  assert.ok(summaries.length > 0, "nobody was asked for a summary");
  // The summary is made after the answer.
  const kept = () => database.prepare("SELECT count(*) AS n FROM summary WHERE conversation_id = ?").get(me.conversationId).n;
  await until("it is kept", () => kept() > 0);
  await me.ask("Comment je m'appelle ?");
  const { messages } = upstream.requests.findLast(({ body }) => body.messages.at(-1).content.includes("Comment je m'appelle")).body;
  assert.ok(messages.some(({ role, content }) => role === "user" && content.includes("La visiteuse s'appelle Ada.")), JSON.stringify(messages).slice(0, 400));
  assert.ok(!messages[0].content.includes("Ada"), "what a visitor says never becomes an instruction");
});

test("a retry of an answer that broke off goes on from there", async () => {
  says((n) => (n === 0 ? answer(CITED).slice(0, 2) : answer(["[1]."])));
  const me = await open();
  const id = ulid();
  const broken = await me.ask(QUESTION, id);
  assert.equal(last(broken).code, "upstream_interrupted");
  const list = await me.ask(QUESTION, id, { retry: true });
  assert.equal(said(list), CITED.join(""));
  assert.equal(last(list).finish, "stop");
  const { items } = await me.history();
  assert.deepEqual(items.map(({ status }) => status), ["complete", "complete"]);
});
