// Bots for owners' own servers: OpenAI's client for JavaScript, unchanged, against real workerd and a model server of our
// own. Its client for Python is in languages.test.mjs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, cut, startUpstream, stream } from "./support/upstream.mjs";
import { pause, until } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const ask = (content) => [{ role: "user", content }];
const CHAT = { name: "Server", scopes: ["chat:write"] };

let upstream, other, edge, twin, client, key, database;
before(async () => {
  [upstream, other] = [await startUpstream(), await startUpstream()];
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "gpt-4o-mini", GROQ_BASE_URL: other.url, GROQ_API_KEY: "g", GROQ_MODEL: "alt" } });
  twin = new Owner(edge, "maelle-kervadec");
  ({ key } = await twin.post("/keys", CHAT));
  client = to(key);
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  upstream?.stop();
  other?.stop();
  await edge?.stop();
});

const to = (apiKey) => new OpenAI({ baseURL: `${edge.url}/v1`, apiKey, maxRetries: 0 });
const say = (...words) => (upstream.behave = (response) => stream(response, answer(words)));
const create = (request, at = client) => at.chat.completions.create({ model: "digital-twin", messages: ask(QUESTION), ...request });
const raw = (body, headers = {}) =>
  fetch(`${edge.url}/v1/chat/completions`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers: { authorization: `Bearer ${key}`, ...headers } });

/** A tenant with a model of its own: the circuit breaker of a failing model holds for every tenant that shares it. */
async function owner(name, { model, ...settings } = {}) {
  const owner = await Owner.with(edge, name, { limits: GENEROUS, model: { provider: "openai", name, ...model }, ...settings });
  owner.client = to((await owner.post("/keys", CHAT)).key);
  owner.ask = (request = {}) => create({ model: "bot", ...request }, owner.client);
  return owner;
}

/** The last conversation of a tenant, once its answer is stored. */
async function recorded(tenant = "maelle-kervadec") {
  const sql = "SELECT message.* FROM message WHERE message.tenant_id = ? AND conversation_id = (SELECT id FROM conversation WHERE tenant_id = ? ORDER BY created_at DESC, id DESC LIMIT 1) ORDER BY position";
  return until("it is recorded", () => {
    const rows = database.prepare(sql).all(tenant, tenant);
    return rows.length === 2 && rows;
  });
}

describe("an answer", () => {
  test("comes whole, with its sources under the numbers of the text", async () => {
    say("J'ai ", "8 ans [2", "] d'expérience [1", "7] [1].");
    const { data, response } = await create({ temperature: 0.2, seed: 1, user: "u", metadata: { a: "b" }, stop: ["x"] }).withResponse();
    const [choice] = data.choices;
    assert.equal(choice.message.content, "J'ai 8 ans [2] d'expérience [1].");
    assert.deepEqual([choice.finish_reason, choice.message.role, data.object, data.model], ["stop", "assistant", "chat.completion", "digital-twin"]);
    assert.deepEqual(data.usage, { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 });
    const { sources, ...rest } = data.bulle;
    assert.deepEqual(sources.map(({ n }) => n), [1, 2]);
    assert.ok(sources.every(({ title, snippet, url }) => title && snippet && url));
    const { confidence, ...plain } = rest;
    assert.ok(confidence > 0 && confidence <= 1, `${confidence}`);
    assert.deepEqual(plain, { finish: "stop", provider: "openai", suggestions: [], cached: false });
    assert.match(response.headers.get("x-request-id"), /^[0-9A-Z]{26}$/);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    const [system] = upstream.requests.at(-1).body.messages;
    assert.match(system.content, /Maëlle Kervadec[^]*<passage n="1"/);
    const [question, reply] = await recorded();
    assert.deepEqual([question.text, reply.text, reply.provider], [QUESTION, "J'ai 8 ans [1] d'expérience  [2].", "openai"]);
  });

  test("comes in pieces, as it is written", async () => {
    upstream.behave = (response) => stream(response, answer(["J'ai ", "**8 ans** [1", "][9", "]."]), { wait: 50 });
    const chunks = await Array.fromAsync(await create({ stream: true, stream_options: { include_usage: true } }));
    assert.deepEqual(chunks[0].choices[0].delta, { role: "assistant", content: "" });
    const pieces = chunks.map(({ choices }) => choices[0]?.delta.content).filter(Boolean);
    assert.equal(pieces.join(""), "J'ai **8 ans** [1].");
    assert.ok(pieces.length >= 3, JSON.stringify(pieces));
    const [last, usage] = chunks.slice(-2);
    assert.deepEqual([last.choices[0].finish_reason, last.bulle.provider, last.bulle.sources.map(({ n }) => n)], ["stop", "openai", [1]]);
    assert.deepEqual([usage.choices, usage.usage.total_tokens], [[], 15]);
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    const without = await Array.fromAsync(await create({ stream: true }));
    assert.ok(without.every((chunk) => !("usage" in chunk)));
  });

  test("knows what was said before, and the owner's own instructions", async () => {
    say("Oui.");
    await create({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Bonjour" },
        { role: "assistant", content: "Bonjour ! [1]" },
        { role: "developer", content: [{ type: "text", text: "Be kind." }] },
        { role: "user", content: [{ type: "text", text: "Et Kubernetes" }, { type: "text", text: "?" }] },
      ],
    });
    const [system, ...rest] = upstream.requests.at(-1).body.messages;
    assert.match(system.content, /The owner adds:\nBe brief\.\n\nBe kind\.\n/);
    assert.deepEqual(rest.map(({ role, content }) => [role, content]), [["user", "Bonjour"], ["assistant", "Bonjour !"], ["user", "Et Kubernetes\n?"]]);
  });

  test("is no longer than asked, and says so", async () => {
    const last = (reason) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\n`;
    upstream.behave = (response) => stream(response, [answer(["Un deux"])[0], last("length"), "data: [DONE]\n\n"]);
    upstream.requests.length = 0;
    const { choices, bulle } = await create({ max_completion_tokens: 2 });
    assert.deepEqual([choices[0].finish_reason, choices[0].message.content, bulle.finish], ["length", "Un deux", "length"]);
    assert.equal(upstream.requests.length, 1);
    assert.equal(upstream.requests[0].body.max_tokens ?? upstream.requests[0].body.max_completion_tokens, 2);
  });

  test("is kept for the next who asks the same, where the owner wants that", async () => {
    const me = await owner("cached", { answers: { cache_seconds: 600 } });
    say("Oui.");
    assert.equal((await me.ask()).bulle.cached, false);
    const again = await me.ask();
    assert.deepEqual([again.bulle.cached, again.choices[0].message.content, again.usage.total_tokens], [true, "Oui.", 0]);
    // Another wording of the question gets another answer.
    say("Non.");
    for (const more of [{ max_tokens: 5 }, { messages: [{ role: "system", content: "No!" }, ...ask(QUESTION)] }]) {
      assert.equal((await me.ask(more)).choices[0].message.content, "Non.");
    }
  });
});

describe("models", () => {
  test("are the tenant's bots that serve visitors", async () => {
    const me = await owner("models");
    await me.post("/bots", { id: "second", settings: { name: "Second" } });
    const { data } = await me.client.models.list();
    assert.deepEqual(data.map(({ id, object, owned_by }) => [id, object, owned_by]), [["bot", "model", "models"], ["second", "model", "models"]]);
    assert.ok(Math.abs(data[0].created - Date.now() / 1000) < 60);
    assert.deepEqual(await me.client.models.retrieve("bot"), data[0]);
    await assert.rejects(me.client.models.retrieve("digital-twin"), { status: 404, code: "model_not_found" });
    await me.patch("/bots/second", { status: "paused" });
    assert.deepEqual((await me.client.models.list()).data.map(({ id }) => id), ["bot"]);
    await assert.rejects(me.client.models.retrieve("second"), { status: 403, code: "paused" });
    await assert.rejects(me.ask({ model: "second" }), { status: 403, code: "paused" });
    await me.patch("", { status: "paused" });
    assert.deepEqual((await me.client.models.list()).data, []);
    await assert.rejects(me.ask(), { status: 403, code: "paused" });
  });
});

describe("who may not", () => {
  test("is told why", async () => {
    const { key: lesser } = await twin.post("/keys", { name: "Lesser", scopes: ["bots:read"] });
    const stranger = (await owner("stranger")).client;
    await assert.rejects(create({}, to(lesser)), { status: 403, code: "scope_missing", type: "permission_error" });
    await assert.rejects(create({}, to(edge.adminKey)), { status: 403, code: "scope_missing", message: /belongs to no tenant/ });
    await assert.rejects(create({}, to(`${key}0`)), { status: 401, code: "invalid_api_key", type: "authentication_error" });
    await assert.rejects(create({}, stranger), { status: 404, code: "model_not_found", param: "model" });
    await assert.rejects(create({ model: "gpt-4o" }), { status: 404, code: "model_not_found" });
    const { id, key: gone } = await twin.post("/keys", CHAT);
    await twin.remove(`/keys/${id}`);
    await assert.rejects(to(gone).models.list(), { status: 401 });
  });

  test("is every page", async () => {
    const preflight = await fetch(`${edge.url}/v1/chat/completions`, { method: "OPTIONS", headers: { origin: edge.site, "access-control-request-method": "POST" } });
    assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [405, null]);
    const refused = await fetch(`${edge.url}/v1/models`, { headers: { origin: edge.site } });
    assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [401, null]);
    assert.equal((await refused.json()).error.code, "api_key_missing");
  });

  test("has guessed too often", async () => {
    const from = (apiKey) => fetch(`${edge.url}/v1/models`, { headers: { authorization: `Bearer ${apiKey}`, "cf-connecting-ip": "198.51.100.7" } });
    for (let n = 0; n < 20; n += 1) assert.equal((await from("bulle_wrong")).status, 401);
    const refused = await from("bulle_wrong");
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal((await refused.json()).error.type, "rate_limit_error");
  });
});

describe("what is refused", () => {
  test("names its parameter", async () => {
    upstream.requests.length = 0;
    const image = [{ type: "image_url", image_url: { url: "https://a.test/b.png" } }];
    for (const [request, param, code = "invalid_value"] of [
      [{ messages: ask(image) }, "messages[0].content[0].type"],
      [{ messages: [...ask("?"), { role: "tool", tool_call_id: "1", content: "x" }] }, "messages[1].role"],
      [{ messages: [...ask("?"), { role: "assistant", content: "!" }] }, "messages"],
      [{ messages: [] }, "messages"],
      [{ messages: ask(" ") }, "messages", "message_empty"],
      [{ messages: ask("é".repeat(4_001)) }, "messages", "message_too_long"],
      [{ messages: [...Array.from({ length: 9 }, () => ({ role: "assistant", content: "é" })), ...ask("?")].flatMap((m) => [...ask("x".repeat(3_900)), m]) }, "messages", "message_too_long"],
      [{ n: 2 }, "n"],
      [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
      [{ response_format: { type: "json_object" } }, "response_format"],
      [{ logprobs: true }, "logprobs"],
      [{ max_tokens: 0 }, "max_tokens"],
    ]) {
      await assert.rejects(create(request), (error) => {
        assert.deepEqual([error.status, error.param, error.code, error.type], [400, param, code, "invalid_request_error"]);
        return true;
      });
    }
    assert.equal(upstream.requests.length, 0);
  });

  test("is told in the shape that clients read, whatever it is", async () => {
    for (const [response, status, code] of [
      [raw("{"), 400, "invalid_json"],
      [raw("[]"), 400, "invalid_json"],
      [raw(new Uint8Array([0xff, 0xfe]).toString() + "\u0000"), 400, "invalid_json"],
      [raw({ model: "digital-twin", messages: ask("x".repeat(70_000)) }), 413, "body_too_large"],
      [fetch(`${edge.url}/v1/chat/completions`), 405, "method_not_allowed"],
      [fetch(`${edge.url}/v1/models`, { method: "POST", body: "{}" }), 405, "method_not_allowed"],
      [fetch(`${edge.url}/v1/chat/nothing`), 404, "not_found"],
      [fetch(`${edge.url}/v1/models/%ff`), 400, "invalid_parameter"],
    ]) {
      const answered = await response;
      const { error, ...rest } = await answered.json();
      assert.deepEqual([answered.status, error.code, error.param, rest], [status, code, null, {}]);
      assert.match(answered.headers.get("content-type"), /^application\/json/);
      assert.ok(error.message && error.type && answered.headers.get("x-request-id"));
    }
  });
});

describe("when a model fails", () => {
  test("an alternative answers, or the documents, or the owner's own lines", async () => {
    const me = await owner("failing", { model: { provider: "openai", alternatives: [{ provider: "groq" }] }, persona: { fallback: { fr: ["Je reviens bientôt."] } } });
    upstream.behave = (response) => response.writeHead(401).end("{}");
    other.behave = (response) => stream(response, answer(["Autre."]));
    const answered = await me.ask();
    assert.deepEqual([answered.choices[0].message.content, answered.bulle.provider], ["Autre.", "groq"]);
    other.behave = (response) => response.writeHead(401).end("{}");
    const line = await me.ask();
    assert.deepEqual([line.choices[0].message.content, line.choices[0].finish_reason], ["Je reviens bientôt.", "stop"]);
    assert.deepEqual([line.bulle.finish, line.bulle.provider, line.usage.total_tokens], ["fallback", "persona", 0]);
    const documents = await create({});
    assert.deepEqual([documents.bulle.finish, documents.bulle.provider], ["fallback", "extractive"]);
    assert.match(documents.choices[0].message.content, /\[1\]/);
    assert.equal(documents.bulle.sources[0].n, 1);
    const pieces = await Array.fromAsync(await create({ stream: true }));
    assert.deepEqual([pieces.at(-1).choices[0].finish_reason, pieces.at(-1).bulle.finish], ["stop", "fallback"]);
  });

  test("for want of money, the documents answer and nobody is asked", async () => {
    const me = await owner("poor", { limits: { ...GENEROUS, budget: { tokens_per_day: 1 } } });
    upstream.requests.length = 0;
    assert.equal((await me.ask()).bulle.finish, "fallback");
    assert.equal(upstream.requests.length, 0);
  });

  test("in the middle, the answer is no answer", async () => {
    const me = await owner("cut");
    upstream.behave = (response) => cut(response, answer(["Oui, ", "mais"]).slice(0, 2).join(""));
    await assert.rejects(me.ask(), { status: 502, code: "upstream_interrupted", type: "server_error" });
    const seen = [];
    await assert.rejects(async () => {
      for await (const chunk of await me.ask({ stream: true })) seen.push(chunk.choices[0].delta.content);
    }, { code: "upstream_interrupted" });
    assert.equal(seen.join(""), "Oui, mais");
    const [, reply] = await recorded("cut");
    assert.deepEqual([reply.status, reply.error, reply.text], ["failed", "upstream_interrupted", "Oui, mais"]);
  });
});

describe("a client that leaves", () => {
  for (const streamed of [true, false]) {
    const what = streamed ? "stops the model, and what was written is recorded" : "gets a whole answer recorded, for nobody can tell that it has left";
    test(what, async () => {
      const tenant = streamed ? "leaving" : "leaving-whole";
      const me = await owner(tenant, streamed ? {} : { model: { timeouts: { between_tokens_ms: 1_500 } } });
      upstream.behave = (response) => stream(response, answer(["Un ", "deux ", "trois "]).slice(0, 3), { end: false });
      [upstream.closed, upstream.requests.length] = [0, 0];
      const leaving = new AbortController();
      const asked = me.client.chat.completions.create({ model: "bot", messages: ask(QUESTION), stream: streamed }, { signal: leaving.signal });
      if (streamed) {
        for await (const chunk of await asked) if (chunk.choices[0].delta.content?.includes("trois")) break;
      } else {
        asked.catch(() => {});
        while (upstream.requests.length === 0) await pause(50);
        await pause(200);
        leaving.abort();
      }
      await until("the connection to the model is closed", () => upstream.closed > 0);
      assert.equal(upstream.closed, 1);
      const [question, reply] = await recorded(tenant);
      assert.deepEqual([question.text, reply.status, reply.text.trim()], [QUESTION, streamed ? "stopped" : "failed", "Un deux trois"]);
    });
  }
});
