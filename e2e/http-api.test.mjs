// The HTTP API against real workerd: a successful call of every route, and the answers to bad input.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { request } from "node:http";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { startEdge, ROOT } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { until } from "./support/wait.mjs";

let edge;
before(async () => (edge = await startEdge()));
after(() => edge?.stop());

const visitor = (options) => new Visitor(edge, options).open();

/** A request whose response is not decompressed, as fetch would do. */
function raw(path, more = {}) {
  // Without the header every encoding is acceptable (RFC 9110).
  const headers = { "accept-encoding": "identity", ...more };
  return new Promise((resolve, reject) => {
    request(edge.url + path, { headers }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => resolve({ ...response, status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }));
    })
      .on("error", reject)
      .end();
  });
}

describe("the script", () => {
  test("carries the site's settings, compressed as the client asks, with an ETag", async () => {
    const plain = await raw("/s/twin-demo.js");
    assert.equal(plain.status, 200);
    assert.match(plain.headers["content-type"], /^text\/javascript/);
    const script = plain.body.toString();
    assert.ok(script.includes('"twin-demo"') && script.includes("#0f766e") && !script.includes("__BULLE_CONFIG__"));
    const brotli = await raw("/s/twin-demo.js", { "accept-encoding": "br" });
    assert.equal(brotli.headers["content-encoding"], "br");
    assert.equal(brotliDecompressSync(brotli.body).toString(), script);
    const gzip = await raw("/s/twin-demo.js", { "accept-encoding": "gzip, br;q=0" });
    assert.equal(gzip.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(gzip.body).toString(), script);
    const again = await raw("/s/twin-demo.js", { "if-none-match": plain.headers.etag });
    assert.equal(again.status, 304);
  });

  test("is whole, and within its budget, in every language", async () => {
    const folder = join(ROOT, "protocol/locales");
    for (const locale of (await readdir(folder)).map((file) => file.replace(".json", ""))) {
      const { bubble } = JSON.parse(await readFile(join(folder, `${locale}.json`), "utf8"));
      const path = `/s/twin-demo.js?locale=${locale}`;
      const [plain, brotli] = await Promise.all([{}, { "accept-encoding": "br" }].map((headers) => raw(path, headers)));
      const script = plain.body.toString();
      assert.ok(script.includes(JSON.stringify(bubble.unavailable)), locale);
      assert.equal(brotliDecompressSync(brotli.body).toString(), script, locale);
      assert.ok(brotli.body.length <= 2_500, `${locale}: ${brotli.body.length} bytes`);
    }
  });

  test("tells the owner of an unknown key what is wrong, and harms nothing", async () => {
    for (const key of ["nope", "%22%29alert(1)", "a".repeat(200)]) {
      const response = await fetch(`${edge.url}/s/${key}.js`);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /^console\.error\("\[Bulle\] No site has the key .*\);\n$/);
      assert.equal(response.headers.get("cache-control"), "no-store");
    }
    assert.equal((await fetch(`${edge.url}/s/twin-demo.css`)).status, 404);
  });

  test("leads to immutable files in every encoding", async () => {
    const script = (await raw("/s/twin-demo.js")).body.toString();
    const [stem] = script.match(/\/a\/bulle-[0-9a-f]{8}\./);
    const files = ["js", "wasm", "css"].map((kind) => stem + kind);
    for (const file of files) {
      const plain = await raw(file);
      assert.equal(plain.status, 200);
      assert.match(plain.headers["cache-control"], /immutable/);
      assert.equal(plain.headers["access-control-allow-origin"], "*");
      if (file.endsWith(".wasm")) assert.equal(plain.headers["content-type"], "application/wasm");
      const brotli = await raw(file, { "accept-encoding": "br" });
      assert.equal(brotli.headers["content-encoding"], "br");
      assert.ok(brotliDecompressSync(brotli.body).equals(plain.body));
      const gzip = await raw(file, { "accept-encoding": "gzip" });
      assert.ok(gunzipSync(gzip.body).equals(plain.body));
    }
    for (const file of ["/a/nope.js", "/a/../loader.js", "/a/..%2floader.js", "/a/x.html"]) {
      assert.equal((await raw(file)).status, 404, file);
    }
  });
});

describe("a conversation", () => {
  test("is answered from the documents with sources, kept, and listed", async () => {
    const me = await visitor();
    assert.equal(me.session.bot.locale, "fr");
    assert.equal(me.session.conversation, undefined);
    const list = await me.ask("Quelle est ton expérience avec Kubernetes ?");
    assert.equal(list[0].event, "start");
    assert.equal(list.at(-1).event, "done");
    assert.deepEqual(list.map((event) => Number(event.id.split(":")[1])), list.map((_, i) => i + 1));
    const said = text(assemble(list));
    assert.match(said, /8 ans.*\[1\]/s);
    const { items: sources } = list.find(({ event }) => event === "sources").data;
    assert.match(sources[0].url, new RegExp(`^${edge.site}/digital-twin/.*\\.html#`));
    assert.equal((await fetch(sources[0].url)).status, 200);
    assert.equal(list.at(-1).data.provider, "extractive");

    const history = await me.history();
    assert.deepEqual(history.items.map((item) => item.role), ["user", "assistant"]);
    assert.deepEqual(history.items[1].blocks, assemble(list));
    assert.deepEqual(history.items[1].sources, sources);
    const { items } = await (await me.fetch("/v1/conversations")).json();
    assert.equal(items[0].id, me.conversationId);
    assert.equal(items[0].title, "Quelle est ton expérience avec Kubernetes ?");
    const back = await new Visitor(edge).open({ resume: me.token });
    assert.equal(back.session.visitor.id, me.session.visitor.id);
    assert.equal(back.session.conversation.id, me.conversationId);
  });

  test("answers in the language of the question", async () => {
    const me = await visitor({ locale: "en" });
    assert.equal(me.session.bot.locale, "en");
    const said = text(assemble(await me.ask("What is your experience with Kubernetes?")));
    assert.match(said, /8 years/);
    assert.match(text(assemble(await me.ask("What is the capital of Australia?"))), /could not find anything/);
  });

  test("says what it does not know, and what it does", async () => {
    const me = await visitor();
    const list = await me.ask("Quelle est la capitale de l'Australie ?");
    assert.match(text(assemble(list)), /rien trouvé.*Formation/s);
    assert.ok(list.find(({ event }) => event === "suggestions").data.items.length > 0);
    assert.match(text(assemble(await me.ask("Bonjour !"))), /jumeau numérique/);
  });

  test("is asked once for the same message id, and replays from any event", async () => {
    const me = await visitor();
    const id = ulid();
    const first = await me.ask("Où as-tu étudié ?", id);
    assert.deepEqual(await me.ask("Où as-tu étudié ?", id), first);
    for (const [i, { id: after }] of first.entries()) {
      assert.deepEqual(await me.attach(after), first.slice(i + 1));
    }
    assert.equal((await me.history()).items.length, 2);
    const other = await me.post({ id, text: "Autre chose" });
    assert.equal(other.status, 409);
    assert.equal((await other.json()).code, "message_conflict");
  });

  test("replays an old turn from what was recorded of it", async () => {
    const me = await visitor();
    const id = ulid();
    const first = await me.ask("Où as-tu étudié ?", id);
    for (let n = 0; n < 11; n += 1) await me.ask("Rust ?");
    const again = await me.ask("Où as-tu étudié ?", id);
    assert.deepEqual(assemble(again), assemble(first));
    assert.deepEqual([again[0].event, again.at(-1).event], ["start", "done"]);
    assert.deepEqual(again.find(({ event }) => event === "sources").data, first.find(({ event }) => event === "sources").data);
  });

  test("is paged backwards", async () => {
    const me = await visitor();
    for (const question of ["Kubernetes ?", "Terraform ?", "Rust ?"]) await me.ask(question);
    const last = await me.history("?limit=4");
    assert.deepEqual(last.items.filter(({ role }) => role === "user").map((item) => item.text), ["Terraform ?", "Rust ?"]);
    const first = await me.history(`?limit=4&before=${last.next}`);
    assert.equal(first.items[0].text, "Kubernetes ?");
    assert.equal(first.next, undefined);
  });

  test("is not there before it has a message, and then only for its visitor", async () => {
    const [me, other] = await Promise.all([visitor(), visitor()]);
    await me.conversation();
    assert.deepEqual((await me.history()).items, []);
    assert.deepEqual((await (await me.fetch("/v1/conversations")).json()).items, []);
    assert.equal((await me.fetch(`/v1/conversations/${me.conversationId}/events`)).status, 404);
    await me.ask("Kubernetes ?");
    const baker = await visitor({ site: "plain-demo" });
    for (const stranger of [other, baker]) {
      for (const [method, path, body] of [
        ["GET", "messages"], ["GET", "events"], ["POST", "cancel"], ["POST", "messages", { id: ulid(), text: "x" }],
      ]) {
        const response = await stranger.fetch(`/v1/conversations/${me.conversationId}/${path}`, { method, body });
        assert.equal(response.status, 404, `${method} ${path}`);
        assert.equal((await response.json()).code, "not_found");
      }
    }
  });

  test("is limited by the minute, and says when to come back", async () => {
    const me = await visitor();
    const { per_minute } = me.session.limits;
    for (let left = per_minute - 1; left >= 0; left -= 1) {
      const done = (await me.ask("Rust ?")).at(-1);
      assert.equal(done.data.remaining.minute, left);
    }
    const refused = await me.post({ id: ulid(), text: "Rust ?" });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal((await refused.json()).code, "rate_limited");
  });
});

describe("bad input", () => {
  const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const latin1 = new Uint8Array([...Buffer.from(`{"id":"${id}","text":"`), 0xe9, ...Buffer.from('"}')]);
  const cases = [
    ["an empty message", { id, text: "" }, 400, "message_empty"],
    ["an invisible message", { id, text: " \u200b\n" }, 400, "message_empty"],
    ["a message too long", { id, text: "é".repeat(4001) }, 413, "message_too_long"],
    ["bytes that are not UTF-8", latin1, 400, "not_utf8"],
    ["no JSON", "{", 400, "invalid_json"],
    ["an unknown field", { id, text: "a", html: "b" }, 400, "invalid_json"],
    ["a wrong type", { id, text: 1 }, 400, "invalid_json"],
    ["an id that is no ULID", { id: "1", text: "a" }, 400, "invalid_json"],
    ["a huge body", { id, text: "a".repeat(100_000) }, 413, "body_too_large"],
    ["no body", undefined, 400, "invalid_json"],
  ];
  for (const [name, body, status, code] of cases) {
    test(`${name} gets ${code}`, async () => {
      const me = await visitor();
      await me.conversation();
      const response = await me.post(body);
      assert.equal(response.status, status);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      assert.equal(response.headers.get("access-control-allow-origin"), edge.site);
      const problem = await response.json();
      assert.equal(problem.code, code);
      assert.equal(problem.request_id, response.headers.get("x-request-id"));
      assert.ok(problem.detail.length > 0);
    });
  }

  test("an answer never comes before the client has finished writing: it would see a broken connection", async () => {
    const body = JSON.stringify({ site: "x".repeat(600_000) });
    const post = (path) => fetch(edge.url + path, { method: "POST", headers: { "content-type": "application/json" }, body });
    for (let round = 0; round < 8; round++) {
      const paths = ["/v1/sessions", "/v1/chat/completions", "/v1/admin/tenants", "/v1/nothing"];
      const answers = await Promise.all([...paths, ...paths].map(post));
      assert.deepEqual(answers.map((answer) => answer.status), Array(8).fill(413));
      await Promise.all(answers.map((answer) => answer.text()));
    }
  });

  test("the longest message is taken", async () => {
    const me = await visitor();
    assert.equal((await me.ask("é".repeat(4000))).at(-1).event, "done");
  });

  test("syntax of the index is only words", async () => {
    const me = await visitor();
    for (const question of ['" OR 1', "NEAR(a b)", "scope:x", "a* - + : ^ {}", "'; DROP TABLE message; --", "AND", "*"]) {
      assert.equal((await me.ask(question)).at(-1).event, "done", question);
    }
  });

  test("an origin that is not on the list is told so, readably", async () => {
    for (const origin of ["https://evil.test", null]) {
      const me = new Visitor(edge, { origin });
      const response = await me.fetch("/v1/sessions", { method: "POST", body: { site: "twin-demo" } });
      assert.equal(response.status, 403);
      const { code, detail } = await response.json();
      assert.equal(code, "origin_not_allowed");
      assert.ok(detail.includes(origin ?? "(none)") && detail.includes("twin-demo"));
      if (origin) assert.equal(response.headers.get("access-control-allow-origin"), origin);
    }
  });

  test("forged, foreign and missing tokens get 401 and no reason", async () => {
    const me = await visitor();
    const [header, payload, tag] = me.token.split(".");
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(atob(payload)), sub: ulid() })).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const [token, code] of [
      [null, "token_missing"],
      ["x", "token_invalid"],
      [`${header}.${other}.${tag}`, "token_invalid"],
      [`${none}.${payload}.`, "token_invalid"],
      [`${header}.${payload}.${tag.slice(0, -2)}`, "token_invalid"],
    ]) {
      const response = await me.fetch("/v1/conversations", { token });
      assert.equal(response.status, 401);
      assert.equal((await response.json()).code, code);
    }
    const thief = new Visitor(edge, { origin: "https://evil.test" });
    assert.equal((await thief.fetch("/v1/conversations", { token: me.token })).status, 403);
  });

  test("unknown sites, paths, methods and parameters are problems too", async () => {
    const me = await visitor();
    await me.ask("Rust ?");
    const conversation = `/v1/conversations/${me.conversationId}`;
    for (const [method, path, body, status, code] of [
      ["POST", "/v1/sessions", { site: "nope" }, 404, "unknown_site"],
      ["POST", "/v1/sessions", { site: "twin-demo", extra: 1 }, 400, "invalid_json"],
      ["GET", "/nope", undefined, 404, "not_found"],
      ["DELETE", "/v1/sessions", undefined, 405, "method_not_allowed"],
      ["GET", "/v1/conversations/nope/messages", undefined, 404, "not_found"],
      ["GET", `/v1/conversations/${ulid()}/messages`, undefined, 404, "not_found"],
      ["GET", `/v1/conversations/${ulid(1)}/messages`, undefined, 404, "not_found"],
      ["GET", `${conversation}/messages?limit=0`, undefined, 400, "invalid_parameter"],
      ["GET", `${conversation}/messages?before=x`, undefined, 400, "invalid_parameter"],
      ["GET", `${conversation}/events?after=x`, undefined, 400, "invalid_parameter"],
      ["GET", `${conversation}/messages?limit=1&limit=2`, undefined, 400, "invalid_parameter"],
      ["GET", `/v1/conversations/${ulid()}/messages?before=4`, undefined, 404, "not_found"],
      ["GET", "/s/%ff.js", undefined, 400, "invalid_parameter"],
    ]) {
      const response = await me.fetch(path, { method, body });
      assert.deepEqual([response.status, (await response.json()).code], [status, code], `${method} ${path}`);
    }
  });
});

describe("the house", () => {
  test("is healthy, row by row", async () => {
    const response = await fetch(`${edge.url}/health`);
    assert.equal(response.status, 200);
    const { ok, checks } = await response.json();
    assert.ok(ok);
    assert.deepEqual(checks.map(({ name }) => name), ["database", "kv", "session_secret", "model", "admin"]);
  });

  test("publishes the committed contract", async () => {
    const document = await (await fetch(`${edge.url}/openapi.json`)).json();
    assert.deepEqual(document, JSON.parse(await readFile(`${ROOT}/edge/worker/openapi.json`, "utf8")));
  });

  test("grants preflights and answers with security headers", async () => {
    const preflight = await fetch(`${edge.url}/v1/conversations`, {
      method: "OPTIONS",
      headers: { origin: edge.site, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), edge.site);
    assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
    assert.equal(preflight.headers.get("x-content-type-options"), "nosniff");
  });

  test("logs JSON without a visitor's words or token", async () => {
    const me = await visitor();
    await me.ask("Kubernetes confidentiel azertyuiop ?");
    assert.ok(!edge.log().includes("azertyuiop"));
    assert.ok(!edge.log().includes(me.token));
    await until("the log says so", () => /"request_id":"[0-9A-Z]{26}"/.test(edge.log()));
  });
});
