// Usage and cost of models as owners see them: recorded once, complete, and for the right owner.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { rm } from "node:fs/promises";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { Visitor, ulid } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { until } from "./support/wait.mjs";

let edge, database, state;
before(async () => {
  state = await stateFolder();
  edge = await startEdge({ state });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
  await rm(state, { recursive: true, force: true });
});

const DAY = 86_400_000;
const at = (text) => Date.parse(text);
const today = () => new Date().toISOString().slice(0, 10);

/** Stores a call as the archive does; by default that of a successful answer. */
function store(tenant, more = {}) {
  const call = {
    id: `${ulid()}/0`, bot_id: "bot", conversation_id: ulid(), question_id: null, purpose: "answer", provider: "openai", model: "gpt-4o-mini", outcome: "answered",
    status: 200, input_tokens: 100, output_tokens: 10, estimated: 0, microusd: 21, first_token_ms: 300, total_ms: 900, created_at: Date.now(), ...more,
  };
  const names = ["tenant_id", ...Object.keys(call)];
  database.prepare(`INSERT INTO model_call (${names}) VALUES (${names.map(() => "?")})`).run(tenant, ...Object.values(call));
  return call;
}

/** The report, or the problem of its refusal. */
async function usage(owner, query = {}, headers = {}) {
  const response = await owner.fetch(`/usage?${new URLSearchParams(query)}`, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, ...(headers.accept === "text/csv" && response.ok ? {} : JSON.parse(text)) };
}

const NOTHING = { answers: 0, calls: 0, failed: 0, passed_over: 0, input_tokens: 0, output_tokens: 0, estimated_calls: 0, microusd: 0, unpriced_calls: 0 };

describe("a report", () => {
  test("of nothing is a row of zeros, or none", async () => {
    const owner = await Owner.with(edge, "silent");
    const report = await usage(owner);
    const from = new Date(at(today()) - 29 * DAY).toISOString().slice(0, 10);
    assert.deepEqual([report.status, report.from, report.to, report.items], [200, from, today(), [NOTHING]]);
    assert.match(report.prices_as_of, /^20\d\d-\d\d-\d\d$/);
    assert.equal(report.headers.get("cache-control"), "no-store");
    assert.deepEqual((await usage(owner, { by: "day" })).items, []);
  });

  test("comes in pages", async () => {
    const owner = await Owner.with(edge, "pages");
    for (let n = 0; n < 3; n += 1) store("pages", { model: `m,"${n}'é`, created_at: Date.now() - (n % 2) * DAY });
    const first = await usage(owner, { by: "model,day", limit: 2 });
    const second = await usage(owner, { by: "model,day", limit: 2, after: first.next });
    assert.deepEqual([first.items.length, second.items.length, second.next], [2, 1, undefined]);
    assert.deepEqual([...first.items, ...second.items].map(({ model, calls }) => [model, calls]), [0, 1, 2].map((n) => [`m,"${n}'é`, 1]));

    // The `Link` header of a table has its next page.
    const csv = await usage(owner, { by: "model,day", limit: 2 }, { accept: "text/csv" });
    const [, link] = csv.headers.get("link").match(/^<(\?[!-~]+)>; rel="next"$/);
    const rest = await usage(owner, Object.fromEntries(new URLSearchParams(link)), { accept: "text/csv" });
    assert.deepEqual([csv.text.split("\r\n").length, rest.text.split("\r\n").length, rest.headers.get("link")], [4, 3, null]);
  });

  test("is a table for spreadsheets, in which nothing is a formula", async () => {
    const owner = await Owner.with(edge, "tables");
    store("tables", { model: '=HYPERLINK("https://evil.test","a")', first_token_ms: null, created_at: at("2026-01-02") });
    store("tables", { model: "a,\r\nb", created_at: at("2026-01-01") });
    const response = await owner.fetch("/usage?by=day,model&from=2026-01-01&to=2026-01-31", { headers: { accept: "text/csv" } });
    assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8; header=present");
    assert.equal(response.headers.get("content-disposition"), 'attachment; filename="usage-2026-01-01-2026-01-31.csv"');
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(await response.text(), [
      "day,model,answers,calls,failed,passed_over,input_tokens,output_tokens,estimated_calls,microusd,unpriced_calls,first_token_ms_mean,first_token_ms_p50,first_token_ms_p95,total_ms_mean,total_ms_p50,total_ms_p95",
      '2026-01-01,"a,\r\nb",1,1,0,0,100,10,0,21,0,300,300,300,900,900,900',
      `2026-01-02,"'=HYPERLINK(""https://evil.test"",""a"")",1,1,0,0,100,10,0,21,0,,,,900,900,900`, "",
    ].join("\r\n"));
    const refused = await owner.fetch("/usage?by=nope", { headers: { accept: "text/csv" } });
    assert.deepEqual([refused.status, refused.headers.get("content-type")], [400, "application/problem+json"]);
  });

  test("is refused with words when it cannot be", async () => {
    const owner = await Owner.with(edge, "refused");
    const refusal = async (query) => {
      const { status, code, detail } = await usage(owner, query);
      return [status, code, detail];
    };
    for (const [query, word] of [
      [{ from: "yesterday" }, "from"], [{ from: "2026-02-30" }, "from"], [{ to: `${Date.now()}` }, "to"], [{ by: "site" }, "by"], [{ by: "" }, "by"], [{ by: "day,,bot" }, "by"],
      [{ bot: "A'; DROP TABLE model_call" }, "bot"], [{ conversation: "x" }, "conversation"], [{ limit: "1001" }, "limit"], [{ format: "csv" }, "knows"],
      [[["by", "day"], ["by", "bot"]], "twice"],
    ]) {
      const [status, code, detail] = await refusal(query);
      assert.deepEqual([status, code], [400, "invalid_parameter"], JSON.stringify(query));
      assert.ok(detail.includes(word), detail);
    }
    for (const query of [{ from: "2026-02-02", to: "2026-02-01" }, { from: "2025-01-01", to: "2026-01-02" }, { from: "0001-01-01" }, { after: "[]" }, { by: "day", after: '["a","b"]' }]) {
      assert.deepEqual((await refusal(query)).slice(0, 2), [422, "invalid_value"], JSON.stringify(query));
    }
    assert.equal((await owner.fetch("/usage", { method: "POST" })).status, 405);
  });
});

describe("whose it is", () => {
  test("only the owner's, and only with the scope", async () => {
    const [mine, theirs] = [await Owner.with(edge, "mine"), await Owner.with(edge, "theirs")];
    const { reply } = remember("theirs");
    store("theirs");
    const key = async (owner, scopes) => (await owner.post("/keys", { name: "Key", scopes })).key;
    const good = new Owner(edge, "mine", await key(mine, ["usage:read"]));
    assert.equal((await usage(good, { by: "bot" })).items.length, 0);
    for (const path of ["/usage", `/answers/${reply}`]) {
      const without = await mine.fetch(path, { key: await key(mine, ["tenant:read", "bots:read"]) });
      assert.deepEqual([without.status, (await without.json()).code], [403, "scope_missing"]);
      assert.equal((await mine.fetch(path, { key: null })).status, 401);
      const bytes = async (tenant) => {
        const response = await new Owner(edge, tenant, good.key).fetch(path);
        const { request_id: _, ...problem } = await response.json();
        return JSON.stringify([response.status, problem]);
      };
      assert.equal(await bytes("theirs"), await bytes("nobody"));
      assert.match(await bytes("theirs"), /^\[404,/);
    }
    // Another tenant's answer under one's own path gets the same response as an unknown one.
    const bytes = async (id) => {
      const response = await good.fetch(`/answers/${id}`);
      return `${response.status} ${(await response.text()).replace(response.headers.get("x-request-id"), "")}`;
    };
    assert.equal(await bytes(reply), await bytes(ulid()));
    assert.equal(await bytes(reply), await bytes("x"));
    assert.match(await bytes(reply), /^404/);
    assert.equal((await theirs.fetch(`/answers/${reply}`)).status, 200);
  });
});

/** An answer in the database, without calls. */
function remember(tenant, more = {}) {
  const [conversation, question, reply] = [ulid(), ulid(), ulid()];
  database.prepare("INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) VALUES (?, ?, 'bot', ?, 'Secret words', 1, 1)").run(tenant, conversation, ulid());
  const row = {
    tenant_id: tenant, conversation_id: conversation, text: "Secret words", blocks: "[]", sources: "[]", status: "complete", reply_to: question, finish: "stop", error: null,
    provider: "openai", model: "m", input_tokens: 5, output_tokens: 6, created_at: 7, ...more,
  };
  for (const [position, id, role] of [[0, question, "user"], [1, reply, "assistant"]]) {
    const all = { ...row, position, id, role };
    database.prepare(`INSERT INTO message (${Object.keys(all)}) VALUES (${Object.keys(all).map(() => "?")})`).run(...Object.values(all));
  }
  return { conversation, question, reply };
}

describe("what is kept of a turn", () => {
  const call = (more = {}) => ({
    purpose: "answer", provider: "openai", model: "gpt-4o-mini", outcome: "answered", status: 200, usage: { input_tokens: 100, output_tokens: 10, estimated: true },
    microusd: 21, first_token_ms: 300, total_ms: 900, at: Date.now(), ...more,
  });

  /** The storage of the object that owns the conversation of a message; nothing when there is none. */
  function objectOf(message) {
    const folder = `${edge.state}/v3/do/bulle-Conversation`;
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")) {
      const storage = new DatabaseSync(`${folder}/${name}`);
      storage.exec("PRAGMA busy_timeout = 5000");
      const known = storage.prepare("SELECT 1 FROM sqlite_master WHERE name = 'turn'").get();
      if (known && storage.prepare("SELECT 1 FROM turn WHERE message_id = ?").get(message)) return storage;
      storage.close();
    }
  }

  /** A visitor with an answer whose record `change` modifies and `offer` offers to the archive. */
  async function recorded(tenant) {
    const owner = await Owner.with(edge, tenant, { limits: GENEROUS });
    const me = await new Visitor(edge, { site: owner.site.key }).open();
    const message = ulid();
    const list = await me.ask("Bonjour ?", message);
    const reply = list.at(-1).data.reply_id;
    const storage = objectOf(message);
    // The turn's own calls, whose ids the offered ones reuse.
    database.prepare("DELETE FROM model_call WHERE tenant_id = ?").run(tenant);
    /** `between` runs before the record is offered. */
    const offer = async (change, between = () => {}) => {
      const { record } = storage.prepare("SELECT record FROM turn WHERE message_id = ?").get(message);
      const changed = JSON.parse(record);
      change(changed);
      // An object that starts reads what is waiting; a running one knows it.
      await edge.kill();
      storage.prepare("UPDATE turn SET record = ?, unrecorded = 1 WHERE message_id = ?").run(JSON.stringify(changed), message);
      edge = await startEdge({ state, port: edge.port });
      owner.edge = me.edge = edge;
      // A turn sets the object's alarm to five seconds later when a record is waiting.
      await me.ask("Encore ?");
      await between();
      const waiting = () => storage.prepare("SELECT unrecorded FROM turn WHERE message_id = ?").get(message).unrecorded;
      assert.equal(waiting(), 1);
      await until(() => `it is offered: ${edge.log().slice(-2_000)}`, () => forgotten() || waiting() === 0);
    };
    /** Whether the object has deleted the turn. */
    const forgotten = () => {
      const found = objectOf(message);
      found?.close();
      return !found;
    };
    const rows = () => database.prepare("SELECT * FROM model_call WHERE tenant_id = ? ORDER BY created_at, id").all(tenant)
      .filter(({ question_id }) => question_id === message);
    return { owner, message, reply, offer, rows, forgotten, done: () => storage.close() };
  }

  test("every call once, and the evidence", async () => {
    const { owner, message, reply, offer, rows, done } = await recorded("kept");
    const evidence = { confidence: 0.25, total_ms: 1234, cached: true };
    const first = [call({ outcome: "unreachable", status: null, usage: { input_tokens: 0, output_tokens: 0 }, microusd: 0, first_token_ms: null }), call({ microusd: null, at: Date.now() + 1 })];
    const change = (record) => {
      record.calls = first;
      Object.assign(record.reply, { evidence, usage: { input_tokens: 100, output_tokens: 10, estimated: true } });
    };
    await offer(change);
    const stored = rows();
    assert.deepEqual(stored.map(({ id, outcome, status, estimated, microusd }) => [id, outcome, status, estimated, microusd]), [
      [`${reply}/0`, "unreachable", null, 0, 0], [`${reply}/1`, "answered", 200, 1, null],
    ]);
    const { tenant_id, bot_id, question_id, purpose, provider, model, input_tokens, output_tokens, first_token_ms, total_ms, created_at } = stored[1];
    assert.deepEqual(
      [tenant_id, bot_id, question_id, purpose, provider, model, input_tokens, output_tokens, first_token_ms, total_ms, created_at],
      ["kept", "bot", message, "answer", "openai", "gpt-4o-mini", 100, 10, 300, 900, first[1].at],
    );
    const shown = async (id) => (await owner.fetch(`/answers/${id}`)).json();
    const answer = await shown(reply);
    assert.deepEqual([answer.evidence, answer.usage.estimated], [evidence, true]);
    assert.deepEqual(answer.calls.map(({ outcome, usage }) => [outcome, usage.estimated ?? false]), [["unreachable", false], ["answered", true]]);

    // The same record again: nothing changes, nothing is counted twice.
    await offer(() => {});
    assert.deepEqual(rows(), stored);
    const { items: [all] } = await usage(owner);
    assert.deepEqual([all.answers >= 1, all.microusd, all.unpriced_calls], [true, 0, 1]);

    // Another attempt at the same message: its reply replaces the first one, whose calls stay. An excessive cost is
    // limited, so that sums do not overflow.
    const second = ulid();
    await offer((record) => {
      record.reply.id = second;
      record.calls = [call({ microusd: 9_007_199_254_740_993_000, at: Date.now() + 10_000 })];
    });
    assert.deepEqual(rows().map(({ id }) => id), [`${reply}/0`, `${reply}/1`, `${second}/0`]);
    assert.equal(rows()[2].microusd, 1_000_000_000_000);
    assert.equal((await owner.fetch(`/answers/${reply}`)).status, 404);
    const { calls, earlier_calls } = await shown(second);
    assert.deepEqual([calls.length, earlier_calls.map(({ outcome }) => outcome)], [1, ["unreachable", "answered"]]);
    done();
  });

  test("answers that no model wrote are no calls, and what an attempt has cost stays when it is tried again", async () => {
    const { owner, reply, offer, rows, done } = await recorded("free");
    const free = { usage: { input_tokens: 0, output_tokens: 0 }, microusd: 0, first_token_ms: null, total_ms: 0, status: null };
    await offer((record) => { record.calls = [call({ outcome: "timed_out" }), call({ ...free, provider: "extractive", model: "extractive" })]; });
    assert.equal(rows().length, 2);
    database.prepare("DELETE FROM model_call WHERE tenant_id = 'free' AND id NOT LIKE ?").run(`${reply}/%`);
    const { items: [all] } = await usage(owner);
    assert.deepEqual([all.answers, all.calls, all.failed, all.passed_over, all.total_ms.p50], [1, 1, 1, 0, 900]);
    done();
  });

  test("what a deleted bot's answer has cost, and not its words", async () => {
    const { owner, reply, offer, rows, forgotten, done } = await recorded("spent");
    await offer((record) => { record.calls = [call()]; }, () => owner.remove("/bots/bot"));
    assert.ok(forgotten());
    assert.deepEqual(rows().map(({ id, microusd }) => [id, microusd]), [[`${reply}/0`, 21]]);
    for (const table of ["message", "conversation"]) {
      assert.equal(database.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = 'spent'`).get().n, 0);
    }
    assert.equal((await owner.fetch(`/answers/${reply}`)).status, 404);
    const { items: [row] } = await usage(owner, { by: "bot", bot: "bot" });
    assert.deepEqual([row.bot, row.microusd], ["bot", 21]);
    done();
  });

  test("nothing of a tenant that is gone", async () => {
    const { owner, offer, forgotten, done } = await recorded("gone");
    await offer((record) => { record.calls = [call()]; }, () => owner.remove(""));
    assert.ok(forgotten());
    assert.equal(database.prepare("SELECT count(*) AS n FROM model_call WHERE tenant_id = 'gone'").get().n, 0);
    done();
  });
});
