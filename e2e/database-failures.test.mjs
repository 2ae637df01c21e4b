// A database that fails under a running edge: answers still come where they can, and say what was not kept.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ROOT, openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { Bubble, launch, picture } from "./support/browser.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, cut, startUpstream, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

let edge, database, browser, upstream;
before(async () => {
  browser = await launch();
  upstream = await startUpstream();
  // Without a model of its own, it is asked by bots that name one.
  edge = await startEdge({ vars: { GROQ_API_KEY: "key", GROQ_BASE_URL: upstream.url } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  upstream?.stop();
  await browser?.close();
  await edge?.stop();
});

/** Runs with a table out of reach. */
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
    // It can be replayed from its own object all the same.
    assert.deepEqual(await me.attach(), list);
  });
  // Another turn in between does not make it forgotten.
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

test("a search asks the index once, not once for every chunk of the bot", async () => {
  const statement = await readFile(`${ROOT}/edge/worker/src/adapters/search.sql`, "utf8");
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${statement}`).all("tenant", "bot", '["word"]', 1, 9);
  const steps = plan.filter(({ parent }) => parent === 0).map(({ detail }) => detail);
  // Nothing is sorted: rows are read as long as some are missing.
  assert.match(steps[0], /^SCAN chunk_fts VIRTUAL TABLE/);
  assert.deepEqual(steps.slice(1), ["SCALAR SUBQUERY 3", "SEARCH chunk USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH source USING PRIMARY KEY (tenant_id=? AND bot_id=? AND id=?)"]);
});

test("a search finds what answers, however much is written beside it", async () => {
  const statement = await readFile(`${ROOT}/edge/worker/src/adapters/search.sql`, "utf8");
  const write = (id, generation, body) => database.exec(`
    INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text, generation) VALUES (${id}, 'halves', 'bot', 's', ${id}, '', '', '', ${generation});
    INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES (${id}, 'halves', '', '', '${body}')`);
  database.exec(`INSERT INTO tenant (id, name, created_at) VALUES ('halves', 'H', 0); INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ('halves', 'bot', '{}', 0);
    INSERT INTO source (tenant_id, bot_id, id, title, updated_at, generation) VALUES ('halves', 'bot', 's', 'S', 0, 3)`);
  for (let next = 1; next <= 20; next += 1) write(800_000 + next, next % 2 ? 4 : 2, "halvesa halvesa halvesa");
  write(800_100, 3, "halvesa halvesb halvesc");
  const found = database.prepare(statement).all("halves", "bot", '["halvesa"]', 5, 20_000);
  assert.deepEqual(found.map(({ id }) => id), [800_100]);
});

test("a database that is gone is told by the health check, and known sites still answer", async () => {
  const me = await new Visitor(edge).open();
  await without("tenant", async () => {
    const health = await fetch(`${edge.url}/health`);
    assert.equal(health.status, 503);
    const { ok, checks } = await health.json();
    assert.equal(ok, false);
    assert.match(checks.find(({ name }) => name === "database").detail, /migrations/);
    // The site is in the cache, another one is not.
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
