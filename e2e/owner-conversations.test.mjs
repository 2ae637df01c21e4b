// Owners read what visitors said: the list, the transcript, labels, notes and deletion, by key and by role.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, ulid } from "./support/client.mjs";
import { Owner } from "./support/owner.mjs";
import { Person } from "./support/person.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";

let edge, database, upstream, owner;
before(async () => {
  upstream = await startUpstream();
  upstream.behave = (response) => stream(response, answer(["Bonjour **vous**."]));
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  database = openDatabase(edge);
  owner = await Owner.with(edge, "acme");
  await owner.post("/bots", { id: "other", settings: { name: "Other" } });
  await Owner.with(edge, "globex");
});
after(async () => {
  database?.close();
  await edge?.stop();
  upstream?.stop();
});

const at = "/v1/admin/tenants/acme/conversations";
const told = ({ status, code }) => [status, code];
const plain = ({ status, json }) => JSON.stringify([status, { ...json, request_id: "" }]);

/** A visitor who has asked this, and the conversation. */
async function asked(...questions) {
  const visitor = await new Visitor(edge, { site: owner.site.key }).open();
  for (const question of questions) assert.equal((await visitor.ask(question)).at(-1).event, "done");
  return visitor;
}

describe("a conversation", () => {
  test("is listed and read with everything that was said and what it cost", async () => {
    const visitor = await asked("Combien coûte une chambre ?", "Et le petit-déjeuner ?");
    const id = visitor.conversationId;
    const { messages: history } = { messages: (await visitor.history()).items };
    const rated = await visitor.fetch(`/v1/messages/${history[1].id}/feedback`, { method: "POST", body: { rating: "down", comment: "Trop court" } });
    assert.equal(rated.status, 204, await rated.text());

    const analyst = await Person.member(edge, "acme", "analyst", "reads@example.com");
    const list = await analyst.call("GET", `${at}?visitor=${visitor.session.visitor.id}`);
    assert.equal(list.status, 200, list.text);
    const [item] = list.json.items;
    assert.deepEqual(
      [item.id, item.bot_id, item.title, item.messages, item.rating, item.unanswered, item.labels, list.json.next],
      [id, "bot", "Combien coûte une chambre ?", 4, "down", true, [], undefined],
    );
    const { json: transcript } = await analyst.call("GET", `${at}/${id}`);
    assert.deepEqual(transcript.conversation, item);
    assert.deepEqual(transcript.messages.map(({ role, text }) => [role, text]), [
      ["user", "Combien coûte une chambre ?"], ["assistant", "Bonjour vous."], ["user", "Et le petit-déjeuner ?"], ["assistant", "Bonjour vous."],
    ]);
    const [, reply] = transcript.messages;
    assert.deepEqual([reply.id, reply.reply_to, reply.provider, reply.model, reply.status, reply.feedback], [
      history[1].id, history[0].id, "openai", "mock-1", "complete", { rating: "down", comment: "Trop court" },
    ]);
    assert.ok(reply.usage.output_tokens > 0 && reply.evidence.total_ms >= 0 && reply.blocks.length === 1);
    assert.ok(!JSON.stringify(transcript).includes("added"));
    // What a model was asked is one call further.
    const prompt = await analyst.call("GET", `/v1/admin/tenants/acme/answers/${reply.id}/prompt`);
    assert.equal(prompt.status, 200);
  });

  test("gets labels and notes from whoever may write, and shows them to no visitor", async () => {
    const visitor = await asked("Avez-vous un parking ?");
    const id = visitor.conversationId;
    const agent = await Person.member(edge, "acme", "agent", "agent@example.com", ["bot"]);
    const labelled = await agent.call("PUT", `${at}/${id}/labels`, { labels: ["rappeler", "  parking "] });
    assert.deepEqual([labelled.status, labelled.json], [200, { labels: ["parking", "rappeler"] }]);
    const note = await agent.call("POST", `${at}/${id}/notes`, { text: "Rappelé lundi." });
    assert.deepEqual([note.status, note.json.author, note.json.text], [201, "agent", "Rappelé lundi."]);
    const byKey = await owner.post(`/conversations/${id}/notes`, { text: "Par un programme." });
    assert.equal(byKey.author, undefined);
    const { json } = await agent.call("GET", `${at}/${id}`);
    assert.deepEqual(json.notes.map(({ text }) => text), ["Rappelé lundi.", "Par un programme."]);
    assert.deepEqual((await agent.call("GET", `${at}?label=parking`)).json.items.map((item) => item.id), [id]);
    const seen = JSON.stringify([await visitor.history(), await (await visitor.fetch("/v1/me/export")).json()]);
    assert.ok(!seen.includes("Rappelé") && !seen.includes("rappeler"));
    assert.ok(!upstream.requests?.some?.((request) => JSON.stringify(request).includes("Rappelé")));
    assert.equal((await agent.call("DELETE", `${at}/${id}/notes/${note.json.id}`)).status, 204);
    assert.deepEqual(told(await agent.call("DELETE", `${at}/${id}/notes/${note.json.id}`)), [404, "not_found"]);
    for (const [method, path, body] of [
      ["PUT", "labels", { labels: ["x".repeat(41)] }], ["PUT", "labels", { labels: [""] }], ["POST", "notes", { text: " " }],
    ]) assert.deepEqual(told(await agent.call(method, `${at}/${id}/${path}`, body)), [422, "invalid_value"]);
    const analyst = await Person.member(edge, "acme", "analyst", "analyst2@example.com");
    assert.deepEqual(told(await analyst.call("PUT", `${at}/${id}/labels`, { labels: [] })), [403, "scope_missing"]);
    assert.deepEqual(told(await analyst.call("DELETE", `${at}/${id}`)), [403, "scope_missing"]);
  });

  test("of a bot that the person does not reach, or of another tenant, is like none", async () => {
    const visitor = await asked("Bonjour ?");
    const id = visitor.conversationId;
    const limited = await Person.member(edge, "acme", "agent", "limited@example.com", ["other"]);
    const none = await limited.call("GET", `${at}/${ulid()}`);
    assert.deepEqual(told(none), [404, "not_found"]);
    assert.equal(plain(await limited.call("GET", `${at}/${id}`)), plain(none));
    assert.equal(plain(await limited.call("GET", `${at}/no-id`)), plain(none));
    assert.equal(plain(await limited.call("PUT", `${at}/${id}/labels`, { labels: [] })), plain(none));
    assert.deepEqual((await limited.call("GET", at)).json.items, []);
    const elsewhere = await Person.member(edge, "globex", "owner", "globex@example.com");
    assert.equal(plain(await elsewhere.call("GET", `/v1/admin/tenants/globex/conversations/${id}`)), plain(none));
    assert.equal(plain(await elsewhere.call("GET", `${at}/${id}`)), plain(none));
    assert.deepEqual((await elsewhere.call("POST", "/v1/admin/tenants/globex/conversations/delete", { ids: [id] })).json, { deleted: 0 });
    assert.equal((await owner.fetch(`/conversations/${id}`)).status, 200);
  });

  test("is deleted with its labels, notes and object, after the password was given", async () => {
    const first = await asked("À effacer ?");
    const second = await asked("Aussi ?");
    const person = await Person.member(edge, "acme", "admin", "deletes@example.com");
    const [one, two] = [first.conversationId, second.conversationId];
    await owner.fetch(`/conversations/${one}/labels`, { method: "PUT", body: { labels: ["x"] } });
    await owner.post(`/conversations/${one}/notes`, { text: "x" });
    database.prepare("UPDATE person_session SET proved_at = 1").run();
    assert.deepEqual(told(await person.call("DELETE", `${at}/${one}`)), [403, "step_up_required"]);
    assert.equal((await person.stepUp()).status, 200);
    assert.equal((await person.call("DELETE", `${at}/${one}`)).status, 204);
    assert.deepEqual(told(await person.call("DELETE", `${at}/${one}`)), [404, "not_found"]);
    const many = await person.call("POST", `${at}/delete`, { ids: [one, two, ulid()] });
    assert.deepEqual([many.status, many.json], [200, { deleted: 1 }]);
    for (const table of ["message", "conversation_label", "conversation_note", "unanswered"]) {
      const { n } = database.prepare(`SELECT count(*) AS n FROM ${table} WHERE conversation_id IN (?, ?)`).get(one, two);
      assert.equal(n, 0, table);
    }
    assert.deepEqual((await first.history()).status, 404);
    // The object has no owner any more: the visitor cannot go on there.
    assert.equal((await first.post({ id: ulid(), text: "Encore ?" })).status, 404);
    assert.equal((await owner.fetch("/usage")).status, 200);
  });
});

describe("a list", () => {
  test("goes through everything once, and refuses what it does not know", async () => {
    for (let n = 0; n < 3; n += 1) await asked(`Question ${n} ?`);
    const seen = [];
    for (let after = ""; ; ) {
      const response = await owner.fetch(`/conversations?limit=1${after && `&after=${after}`}`);
      const { items, next } = await response.json();
      seen.push(...items.map(({ id }) => id));
      if (next === undefined) break;
      after = next;
    }
    const { n } = database.prepare("SELECT count(*) AS n FROM conversation WHERE tenant_id = 'acme'").get();
    assert.deepEqual([seen.length, new Set(seen).size], [n, n]);
    const today = new Date().toISOString().slice(0, 10);
    const count = async (query) => (await (await owner.fetch(`/conversations?${query}`)).json()).items.length;
    assert.ok((await count(`from=${today}&model=mock-1&finish=stop&bot=bot`)) >= 3);
    assert.deepEqual([await count("to=2020-01-01"), await count("model=other"), await count("label=%27%20OR%201"), await count("tier=premium"), await count("form=true")], [0, 0, 0, 0, 0]);
    for (const query of ["bots=bot", "rating=bad", "limit=0", "after=x", "bot=bot&bot=other", "from=yesterday"]) {
      const response = await owner.fetch(`/conversations?${query}`);
      assert.deepEqual([response.status, (await response.json()).code], [400, "invalid_parameter"], query);
    }
    const key = await owner.post("/keys", { name: "K", scopes: ["bots:read"] });
    const refused = await owner.fetch("/conversations", { key: key.key });
    assert.deepEqual([refused.status, (await refused.json()).code], [403, "scope_missing"]);
  });
});
