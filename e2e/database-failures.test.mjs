// A database that fails under a running edge: answers still come where possible, and say when they were not stored.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { Bubble, launch, picture } from "./support/browser.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, cut, startUpstream, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

let edge, database, browser, upstream;
before(async () => {
  browser = await launch();
  upstream = await startUpstream();
  // The deployment has no default model; it is asked by bots that name one.
  edge = await startEdge({ vars: { GROQ_API_KEY: "key", GROQ_BASE_URL: upstream.url } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  upstream?.stop();
  await browser?.close();
  await edge?.stop();
});

/** Runs a function while a table cannot be reached. */
async function without(table, run) {
  database.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  try {
    await run();
  } finally {
    database.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`);
  }
}

test("an answer that cannot be stored is given all the same, says so, and is stored later", async () => {
  const me = await new Visitor(edge).open();
  await without("message", async () => {
    const list = await me.ask("Où as-tu étudié ?");
    assert.match(text(assemble(list)), /Lannion/);
    assert.deepEqual([list.at(-1).event, list.at(-1).data.kept], ["done", false]);
    const history = await me.history();
    assert.deepEqual([history.status, history.code], [503, "storage_unavailable"]);
    // The object can still replay the turn.
    assert.deepEqual(await me.attach(), list);
  });
  // A turn in between does not remove it.
  await me.ask("Rust ?");
  let items = [];
  await until("all is stored", async () => ({ items } = await me.history()).items?.length === 4);
  assert.deepEqual(items.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
  assert.equal(items[0].text, "Où as-tu étudié ?");
});

test("what an attempt has cost is not forgotten when it is tried again before it could be stored", async () => {
  const owner = await Owner.with(edge, "spent", { limits: GENEROUS, model: { provider: "groq", name: "mock" } });
  const me = await new Visitor(edge, { site: owner.site.key }).open();
  const id = ulid();
  upstream.behave = (response) => cut(response, answer(["Huit "])[0]);
  await without("message", async () => {
    assert.deepEqual((await me.ask("Et Kubernetes ?", id)).at(-1).data.code, "upstream_interrupted");
    upstream.behave = (response) => stream(response, answer(["ans."]));
    assert.equal((await me.ask("Et Kubernetes ?", id, { retry: true })).at(-1).data.kept, false);
  });
  const calls = () => database.prepare("SELECT outcome, question_id FROM model_call WHERE tenant_id = 'spent' ORDER BY created_at").all();
  await until("both are stored", () => calls().length === 2);
  assert.deepEqual(calls().map((call) => ({ ...call })), [{ outcome: "interrupted", question_id: id }, { outcome: "answered", question_id: id }]);
});

test("documents that cannot be searched end the turn honestly", async () => {
  const me = await new Visitor(edge).open();
  await without("chunk", async () => {
    const list = await me.ask("Où as-tu étudié ?");
    assert.deepEqual([list.at(-1).event, list.at(-1).data.code], ["error", "storage_unavailable"]);
  });
  const { items } = await me.history();
  assert.equal(items[1].status, "failed");
});

test("a bot without questions of its own opens while its documents cannot be read", async () => {
  const owner = await Owner.with(edge, "bare", { limits: GENEROUS });
  await without("chunk", async () => {
    const { session } = await new Visitor(edge, { site: owner.site.key }).open();
    assert.deepEqual(session.bot?.suggestions, []);
  });
});

test("a database that is gone is told by the health check, and known sites still answer", async () => {
  const me = await new Visitor(edge).open();
  await without("tenant", async () => {
    const health = await fetch(`${edge.url}/health`);
    assert.equal(health.status, 503);
    const { ok, checks } = await health.json();
    assert.equal(ok, false);
    assert.match(checks.find(({ name }) => name === "database").detail, /migrations/);
    // One site is in the cache, the other is not.
    assert.equal((await me.ask("Rust ?")).at(-1).event, "done");
    const response = await me.fetch("/v1/sessions", { method: "POST", body: { site: "plain-demo" } });
    assert.deepEqual([response.status, (await response.json()).code], [503, "storage_unavailable"]);
    assert.match(await (await fetch(`${edge.url}/s/plain-demo.js`)).text(), /^console\.error\("\[Bulle\]/);
  });
});

test("the bubble says that an answer was not kept", async () => {
  const page = await (await browser.newContext({ locale: "fr-FR" })).newPage();
  await page.goto(`${edge.site}/digital-twin/`);
  const bubble = await new Bubble(page).open();
  await without("message", async () => {
    await bubble.ask("Où as-tu étudié ?");
    await bubble.log.getByText("Lannion").first().waitFor();
    await bubble.log.getByText("pas pu être enregistrée").first().waitFor();
    await picture(page, "not-kept");
  });
});
