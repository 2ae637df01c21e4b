// Unanswered questions, ratings of answers, and the owner's golden answers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { FAST, newOwner, rows, settled, uploaded } from "./support/knowledge.mjs";

let edge, database;
before(async () => {
  edge = await startEdge({ vars: FAST });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
});

const GAPS = "/bots/bot/gaps";
const GOLDEN = "/bots/bot/golden";
const HOURS = "# Opening hours\n\nThe brindleshop opens at nine o'clock on weekdays.\n\n# Prices\n\nA candlewick costs four crowns.\n";

/** An owner whose bot has a document with its opening hours. */
async function shop() {
  const owner = await newOwner(edge);
  const source = await uploaded(owner, "shop.md", HOURS, { type: "text/markdown" });
  assert.equal((await settled(owner, source.id)).status, "ready");
  return Object.assign(owner, { source });
}

const visitor = (owner) => new Visitor(edge, { site: owner.site.key, locale: "en" }).open();

/** Asks in a new conversation: the text of the answer, and the reply. */
async function ask(me, question) {
  me.conversationId = undefined;
  const list = await me.ask(question);
  return { said: text(assemble(list)), reply: list.at(-1).data.reply_id };
}

const rate = (me, reply, body) => me.fetch(`/v1/messages/${reply}/feedback`, { method: "POST", body });
const listed = async (response) => {
  const list = await response;
  assert.equal(list.status, 200, await list.clone().text());
  return list.json();
};
const gaps = (owner, query = "") => listed(owner.fetch(GAPS + query));
const refusal = async (response) => {
  const answered = await response;
  return [answered.status, (await answered.json()).code];
};

describe("a gap", () => {
  test("gathers what was asked in vain, and one call answers it", async () => {
    const owner = await shop();
    const [one, two] = await Promise.all([visitor(owner), visitor(owner)]);
    await ask(one, "Do you deliver to Norway?");
    const { reply } = await ask(two, "can you deliver to norway please");
    await ask(two, "Is there a car park?");
    assert.match((await ask(one, "When does the brindleshop open?")).said, /nine/);
    await ask(one, "Hello!");
    const { items, questions } = await gaps(owner);
    assert.deepEqual([questions, items.map(({ count, visitors, nothing_found, thumbs_down }) => [count, visitors, nothing_found, thumbs_down])], [3, [[2, 2, 2, 0], [1, 1, 1, 0]]]);
    const [gap] = items;
    assert.deepEqual([gap.question, gap.status], ["Do you deliver to Norway?", "open"]);
    assert.deepEqual(gap.questions.map(({ text }) => text), ["can you deliver to norway please", "Do you deliver to Norway?"]);
    assert.equal(gap.questions[0].reply_id, reply);

    // The gap has the id of any of its replies; the same call twice makes one source.
    const answer = { answer: "Yes, to **Norway** within nine days.", url: "https://shop.test/delivery" };
    const made = await owner.post(`${GAPS}/${reply}/answer`, answer);
    assert.deepEqual([made.kind, made.title], ["faq", "Do you deliver to Norway?"]);
    assert.equal((await owner.post(`${GAPS}/${reply}/answer`, answer)).id, made.id);
    assert.equal((await settled(owner, made.id)).status, "ready");
    assert.match((await ask(one, "Do you deliver to Norway?")).said, /within nine days/);
    assert.deepEqual((await gaps(owner)).items.map(({ question }) => question), ["Is there a car park?"]);
    const [answered] = (await gaps(owner, "?status=answered&days=1")).items;
    assert.deepEqual([answered.count, answered.source], [2, made.id]);

    // Without the source the question is a gap again, and the same answer makes a source again.
    await owner.remove(`${owner.at}/${made.id}`);
    await ask(one, "Do you deliver to Norway?");
    const [again] = (await gaps(owner)).items;
    assert.deepEqual([again.question, again.count], ["Do you deliver to Norway?", 1]);
    const anew = await owner.post(`${GAPS}/${reply}/answer`, answer);
    assert.notEqual(anew.id, made.id);
    assert.equal((await settled(owner, anew.id)).status, "ready");
  });

  test("that is dismissed stays so, also for those who ask it later", async () => {
    const owner = await shop();
    const me = await visitor(owner);
    const { reply } = await ask(me, "Who will win the election?");
    assert.equal((await owner.fetch(`${GAPS}/${reply}/dismiss`, { method: "POST" })).status, 204);
    // Dismissed gaps are listed whatever their age.
    database.prepare("UPDATE unanswered SET created_at = 1 WHERE tenant_id = ?").run(owner.tenant);
    await ask(me, "who wins the election");
    assert.deepEqual((await gaps(owner)).items, []);
    assert.equal((await gaps(owner, "?status=dismissed")).items[0].count, 2);
  });

  test("goes with the bot and its conversations", async () => {
    const owner = await shop();
    await ask(await visitor(owner), "Do you deliver to Norway?");
    assert.equal(rows(owner, "unanswered", database), 1);
    await owner.post(GOLDEN, { items: [{ question: "When?", expected: { text: "nine" } }] });
    await owner.remove("/bots/bot");
    assert.deepEqual([rows(owner, "unanswered", database), rows(owner, "golden_question", database)], [0, 0]);
  });

  test("belongs to its owner, and wrong questions are refused", async () => {
    const [owner, other] = [await shop(), await shop()];
    const { reply } = await ask(await visitor(owner), "Do you deliver to Norway?");
    const key = async (scopes) => (await owner.post("/keys", { name: "k", scopes })).key;
    const reader = await key(["knowledge:read"]);
    for (const [response, ...expected] of [
      [owner.fetch(GAPS, { key: null }), 401, "api_key_missing"],
      [owner.fetch(GAPS, { key: reader }), 403, "scope_missing"],
      [owner.fetch(`${GAPS}/${reply}/answer`, { method: "POST", key: reader, body: { answer: "a" } }), 403, "scope_missing"],
      [other.fetch(`${GAPS}/${reply}/answer`, { method: "POST", body: { answer: "a" } }), 404, "not_found"],
      [other.fetch(`${GAPS}/${reply}/dismiss`, { method: "POST" }), 404, "not_found"],
      [owner.fetch("/bots/none/gaps"), 404, "not_found"],
      [owner.fetch(`${GAPS}?status=closed`), 400, "invalid_parameter"],
      [owner.fetch(`${GAPS}?days=367`), 400, "invalid_parameter"],
      [owner.fetch(`${GAPS}?days=1&days=2`), 400, "invalid_parameter"],
      [owner.fetch(`${GAPS}?limit=1`), 400, "invalid_parameter"],
      [owner.fetch(`${GAPS}/${reply}/answer`, { method: "POST", body: "{" }), 400, "invalid_json"],
      [owner.fetch(`${GAPS}/${reply}/answer`, { method: "POST", body: { answer: "a", html: "b" } }), 400, "invalid_json"],
      [owner.fetch(`${GAPS}/${reply}/answer`, { method: "POST", body: { answer: " " } }), 422, "invalid_value"],
    ]) {
      assert.deepEqual(await refusal(response), expected);
    }
    assert.equal((await gaps(owner)).items.length, 1, "what was refused has closed nothing");
  });
});

describe("a rating", () => {
  test("is kept with the answer, makes a gap when it is bad, and can be taken back", async () => {
    const owner = await shop();
    const me = await visitor(owner);
    const { reply } = await ask(me, "When does the brindleshop open?");
    assert.deepEqual((await gaps(owner)).items, []);
    assert.equal((await rate(me, reply, { rating: "down", comment: "  And on Sundays?  " })).status, 204);
    const [gap] = (await gaps(owner)).items;
    assert.deepEqual([gap.nothing_found, gap.thumbs_down, gap.questions[0].comment], [0, 1, "And on Sundays?"]);
    const answer = async () => (await me.history()).items.at(-1).feedback;
    assert.deepEqual(await answer(), { rating: "down", comment: "And on Sundays?" });
    assert.equal((await rate(me, reply, { rating: "up" })).status, 204);
    assert.deepEqual([(await gaps(owner)).items, await answer()], [[], { rating: "up" }]);
    // An unanswered question is a gap, whatever its rating.
    const vain = await ask(me, "Do you deliver to Norway?");
    for (const rating of ["down", "up"]) await rate(me, vain.reply, { rating });
    assert.deepEqual((await gaps(owner)).items.map((gap) => [gap.nothing_found, gap.thumbs_down]), [[1, 0]]);
  });

  test("is only for answers of one's own", async () => {
    const owner = await shop();
    const [me, stranger] = await Promise.all([visitor(owner), visitor(owner)]);
    const id = ulid();
    await me.ask("When does the brindleshop open?", id);
    const reply = (await me.history()).items.at(-1).id;
    for (const [response, ...expected] of [
      [rate(stranger, reply, { rating: "down" }), 404, "not_found"],
      [rate(me, id, { rating: "down" }), 404, "not_found"],
      [rate(me, ulid(), { rating: "down" }), 404, "not_found"],
      [rate(me, "x", { rating: "down" }), 404, "not_found"],
      [rate(me, reply, { rating: "meh" }), 400, "invalid_json"],
      [rate(me, reply, {}), 400, "invalid_json"],
      [rate(me, reply, { rating: "down", comment: "é".repeat(1_001) }), 422, "invalid_value"],
      [me.fetch(`/v1/messages/${reply}/feedback`, { method: "POST", token: null, body: { rating: "up" } }), 401, "token_missing"],
    ]) {
      assert.deepEqual(await refusal(response), expected);
    }
    assert.deepEqual((await gaps(owner)).items, []);
    assert.equal((await me.history()).items.at(-1).feedback, undefined);
  });
});

describe("golden questions", () => {
  test("show what a change of the documents has made worse", async () => {
    const owner = await shop();
    const items = [
      { question: "When do you open?", expected: { text: "nine o'clock" } },
      { question: "What does a candlewick cost?", expected: { title: "Prices of the brindleshop" } },
      { question: "What does a candlewick cost?", expected: { text: "FOUR crowns", title: "opening hours" } },
    ];
    const added = await owner.post(GOLDEN, { items });
    assert.deepEqual([added.stale, added.checked_at, added.items.map(({ question }) => question)], [true, undefined, items.map(({ question }) => question)]);
    const first = await owner.post(`${GOLDEN}/run`);
    const ranks = ({ items }) => items.map(({ rank, rank_before, regressed }) => [rank, rank_before, regressed]);
    assert.equal(first.stale, false);
    assert.deepEqual([first.items[0].rank, first.items[1].rank, first.items[2].rank, first.regressions], [1, undefined, 1, 0], JSON.stringify(first.items));
    assert.ok(Math.abs(first.recall_at_1 - 2 / 3) < 1e-9 && Math.abs(first.mrr - 2 / 3) < 1e-9);
    // A second run without a change has no earlier results to compare with.
    assert.deepEqual(ranks(await owner.post(`${GOLDEN}/run`)), ranks(first));
    const replaced = await owner.fetch(`${owner.at}/${owner.source.id}/file?name=shop.md`, {
      method: "PUT", body: Buffer.from("# Opening hours\n\nThe brindleshop opens at nine o'clock on weekdays.\n"), headers: { "content-type": "text/markdown", "if-match": "*" },
    });
    assert.equal(replaced.status, 200);
    await settled(owner, owner.source.id);
    const stale = await listed(owner.fetch(GOLDEN));
    assert.deepEqual([stale.stale, stale.regressions], [true, 0]);
    const second = await owner.post(`${GOLDEN}/run`);
    assert.deepEqual([second.stale, second.regressions, ranks(second)], [false, 1, [[1, 1, false], [undefined, 0, false], [undefined, 1, true]]]);
    assert.equal((await owner.fetch(`${GOLDEN}/${second.items[2].id}`, { method: "DELETE" })).status, 204);
    assert.equal((await listed(owner.fetch(GOLDEN))).regressions, 0);
  });

  test("are checked", async () => {
    const [owner, other] = [await shop(), await shop()];
    const expected = { text: "nine" };
    const { items } = await owner.post(GOLDEN, { items: Array(100).fill({ question: "When do you open?", expected }) });
    const key = (await owner.post("/keys", { name: "k", scopes: ["knowledge:read"] })).key;
    const post = (body, by = other) => by.fetch(GOLDEN, { method: "POST", body });
    for (const [response, ...refused] of [
      [post({ items: [] }), 422, "invalid_value"],
      [post({ items: [{ question: " ", expected }] }), 422, "invalid_value"],
      [post({ items: [{ question: "When?", expected: {} }] }), 422, "invalid_value"],
      [post({ items: [{ question: "When?" }] }), 400, "invalid_json"],
      [post({ items: [{ question: "When?", expected }] }, owner), 409, "too_many"],
      [owner.fetch(GOLDEN, { method: "POST", key, body: {} }), 403, "scope_missing"],
      [owner.fetch(`${GOLDEN}/run`, { method: "POST", key }), 403, "scope_missing"],
      [other.fetch(`${GOLDEN}/${items[0].id}`, { method: "DELETE" }), 404, "not_found"],
      [owner.fetch("/bots/none/golden"), 404, "not_found"],
    ]) {
      assert.deepEqual(await refusal(response), refused);
    }
    assert.equal((await listed(owner.fetch(GOLDEN, { key }))).items.length, 100);
    assert.equal((await owner.post(`${GOLDEN}/run`)).recall_at_1, 1);
    assert.deepEqual(await owner.post(`${GOLDEN}/run`).then(({ stale }) => stale), false);
    assert.deepEqual((await other.post(`${GOLDEN}/run`)).items, []);
  });
});
