// The owner's API against real workerd: authorization, and that each change takes effect once, whole, and visibly.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, ulid } from "./support/client.mjs";
import { answer, paced, startUpstream, stream } from "./support/upstream.mjs";
import { pause, until } from "./support/wait.mjs";

let edge, database, upstream;
before(async () => {
  upstream = await startUpstream();
  upstream.behave = (response) => stream(response, answer(["Bonjour."]));
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
  upstream?.stop();
});

const SCOPES = [...["tenant", "bots", "sites", "keys", "identity", "notices"].flatMap((what) => [`${what}:read`, `${what}:write`]), "conversations:read", "usage:read"];

/** A call; with the operator's key unless another is given. */
async function call(method, path, { body, key = edge.adminKey, headers = {}, url = edge.url } = {}) {
  const response = await fetch(`${url}/v1/admin${path}`, {
    method,
    body: body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, etag: response.headers.get("etag"), text, json: text ? JSON.parse(text) : undefined };
}

/** The [status, code] of a refusal. */
const refusal = ({ status, json }) => [status, json?.code];

async function created(path, body, options) {
  const answer = await call("POST", path, { body, ...options });
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.etag, '"1"');
  assert.ok(answer.headers.get("location").startsWith(`/v1/admin${path}/`));
  return answer.json;
}

let count = 0;
/** A tenant with a bot and a site. */
async function settled() {
  const id = `t${(count += 1)}-${Date.now()}`;
  await created("/tenants", { id, name: `Tenant ${id}` });
  await created(`/tenants/${id}/bots`, { id: "guide", settings: { name: "Guide" } });
  const site = await created(`/tenants/${id}/sites`, { bot_id: "guide", origins: [edge.site] });
  return { id, at: `/tenants/${id}`, site: site.key };
}

const newKey = (tenant, scopes, more = {}, options) => created(`${tenant.at}/keys`, { name: "Test", scopes, ...more }, options);

describe("a life", () => {
  test("from the tenant to the visitor's answer, and back to nothing", async () => {
    const tenant = await created("/tenants", { id: "acme", name: "Acme", settings: { budget: { tokens_per_day: 9 } } });
    assert.deepEqual(tenant, {
      id: "acme", name: "Acme", status: "active", settings: { budget: { tokens_per_day: 9 }, notices: {} },
      created_at: tenant.created_at, updated_at: tenant.created_at,
    });
    assert.ok(Math.abs(Date.now() - tenant.created_at) < 60_000);
    const key = await created("/tenants/acme/keys", { name: "Setup", scopes: SCOPES });
    assert.match(key.key, /^bulle_acme_[0-9A-HJKMNP-TV-Z]{26}_[0-9a-f]{64}$/);
    assert.equal(key.key.slice(0, key.prefix.length + 1), `${key.prefix}_`);
    assert.equal(key.prefix, `bulle_acme_${key.id}`);
    const me = { key: key.key };

    const bot = await created("/tenants/acme/bots", { id: "guide", settings: { name: "Guide" } }, me);
    assert.equal(bot.settings.limits.tiers.free.per_day, 10);
    const site = await created("/tenants/acme/sites", { bot_id: "guide", name: "Shop", origins: [edge.site, "https://*.acme.test"] }, me);
    assert.match(site.key, /^[0-9a-z]{20}$/);
    const secret = await created("/tenants/acme/identity-secrets", undefined, me);
    assert.match(secret.secret, /^[0-9a-f]{64}$/);

    // The resource is shown as it was created, without the secret that is shown only once.
    const { key: _, ...listedKey } = key;
    const { secret: __, ...listedSecret } = secret;
    const shown = await call("GET", `/tenants/acme/keys/${key.id}`, me);
    assert.ok(Math.abs(Date.now() - shown.json.last_used_at) < 60_000);
    assert.deepEqual({ ...shown.json, last_used_at: undefined }, { ...listedKey, last_used_at: undefined });
    for (const [path, item] of [["", tenant], ["/bots/guide", bot], [`/sites/${site.key}`, site]]) {
      assert.deepEqual((await call("GET", `/tenants/acme${path}`, me)).json, item);
    }
    assert.deepEqual((await call("GET", "/tenants/acme/bots", me)).json, { items: [bot] });
    assert.deepEqual((await call("GET", "/tenants/acme/sites", me)).json, { items: [site] });
    assert.deepEqual((await call("GET", "/tenants/acme/identity-secrets", me)).json, { items: [listedSecret] });
    const keys = await call("GET", "/tenants/acme/keys", me);
    assert.ok(!keys.text.includes(key.key.split("_")[3]) && keys.json.items[0].prefix === key.prefix);
    const { hash } = database.prepare("SELECT hash FROM api_key WHERE id = ?").get(key.id);
    assert.match(hash, /^[0-9a-f]{64}$/);

    // The bot serves visitors.
    const visitor = await new Visitor(edge, { site: site.key }).open();
    assert.equal((await visitor.ask("Bonjour ?")).at(-1).event, "done");
    // Stored as if the bot had read a document.
    database.exec(`INSERT INTO source (tenant_id, bot_id, id, title, updated_at) VALUES ('acme', 'guide', 's', 'S', 1);
      INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text) VALUES (900001, 'acme', 'guide', 's', 0, '', '', 'zyzzyva');
      INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES (900001, 'x', '', '', 'zyzzyva');
      INSERT INTO visitor (tenant_id, subject, id, tier, created_at, seen_at) VALUES ('acme', 'ada', 'x', 'free', 1, 1);`);
    await call("POST", "/tenants/acme/bots", { body: { id: "other", settings: { name: "Other" } }, headers: { "idempotency-key": "life" }, ...me });

    const { etag } = await call("GET", "/tenants/acme");
    assert.deepEqual(refusal(await call("DELETE", "/tenants/acme", { ...me, headers: { "if-match": etag } })), [403, "scope_missing"]);
    assert.equal((await call("DELETE", "/tenants/acme", { headers: { "if-match": etag } })).status, 204);
    for (const { name } of database.prepare("SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'tenant_id'").all()) {
      assert.equal(database.prepare(`SELECT count(*) AS n FROM ${name} WHERE tenant_id = 'acme'`).get().n, 0, name);
    }
    assert.equal(database.prepare("SELECT count(*) AS n FROM tenant WHERE id = 'acme'").get().n, 0);
    assert.equal(database.prepare("SELECT count(*) AS n FROM chunk_fts WHERE chunk_fts MATCH 'zyzzyva'").get().n, 0);
    assert.deepEqual(refusal(await call("GET", "/tenants/acme")), [404, "not_found"]);
    assert.deepEqual(refusal(await call("GET", "/tenants/acme", me)), [401, "api_key_invalid"]);
    assert.match(await (await fetch(`${edge.url}/s/${site.key}.js`)).text(), /^console\.error\("\[Bulle\] No site has the key/);
    // The examples are unchanged.
    assert.equal((await fetch(`${edge.url}/s/twin-demo.js`)).status, 200);
    assert.ok(database.prepare("SELECT count(*) AS n FROM chunk").get().n > 50);
  });

  test("a bot goes with its sites, documents and conversations, and with nothing else", async () => {
    const { id, at, site } = await settled();
    await created(`${at}/bots`, { id: "stays", settings: { name: "Stays" } });
    const other = await created(`${at}/sites`, { bot_id: "stays", origins: [edge.site] });
    for (const [index, key] of [site, other.key].entries()) {
      await (await new Visitor(edge, { site: key }).open()).ask("Bonjour ?");
      const bot = ["guide", "stays"][index];
      database.exec(`INSERT INTO source (tenant_id, bot_id, id, title, updated_at) VALUES ('${id}', '${bot}', 's', 'S', 1);
        INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text) VALUES (${910001 + index}, '${id}', '${bot}', 's', 0, '', '', '');
        INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES (${910001 + index}, 'x', '', '', 'word${bot}');`);
    }
    const rows = () => ["conversation", "message", "source", "chunk", "site", "bot"].map((table) =>
      database.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`).get(id).n);
    assert.deepEqual(rows(), [2, 4, 2, 2, 2, 2]);
    assert.deepEqual(refusal(await call("DELETE", `${at}/bots/guide`, { headers: { "if-match": '"7"' } })), [412, "precondition_failed"]);
    assert.deepEqual(rows(), [2, 4, 2, 2, 2, 2]);
    assert.equal((await call("DELETE", `${at}/bots/guide`, { headers: { "if-match": '"1"' } })).status, 204);
    assert.deepEqual(rows(), [1, 2, 1, 1, 1, 1]);
    const found = (word) => database.prepare("SELECT count(*) AS n FROM chunk_fts WHERE chunk_fts MATCH ?").get(word).n;
    assert.deepEqual([found("wordguide"), found("wordstays")], [0, 1]);
    assert.match(await (await fetch(`${edge.url}/s/${site}.js`)).text(), /^console\.error/);
    assert.doesNotMatch(await (await fetch(`${edge.url}/s/${other.key}.js`)).text(), /^console\.error/);
  });
});

test("a turn that outlives its bot leaves nothing", async () => {
  const { id, at, site } = await settled();
  const good = upstream.behave;
  const pace = paced(answer(["Un ", "deux ", "trois ", "quatre."]), 2);
  upstream.behave = pace.behave;
  try {
    const visitor = await new Visitor(edge, { site }).open();
    upstream.requests.length = 0;
    const asked = visitor.ask("Bonjour ?");
    const rows = (table) => database.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`).get(id).n;
    await until("the model is asked", () => upstream.requests.length > 0);
    assert.equal((await call("DELETE", `${at}/bots/guide`, { headers: { "if-match": "*" } })).status, 204);
    pace.rest();
    assert.equal((await asked).at(-1).event, "done");
    await until("nothing of it is there", () => rows("conversation") + rows("message") === 0);
    // No row is stored afterwards, either.
    await pause(300);
    assert.deepEqual([rows("conversation"), rows("message")], [0, 0]);
  } finally {
    upstream.behave = good;
  }
});

describe("keys", () => {
  test("are demanded, and told apart in nothing when they are not good", async () => {
    const tenant = await settled();
    const key = await newKey(tenant, SCOPES);
    const me = { key: key.key };
    assert.equal((await call("GET", tenant.at, me)).status, 200);
    const missing = await call("GET", tenant.at, { key: null });
    assert.deepEqual(refusal(missing), [401, "api_key_missing"]);
    assert.equal(missing.headers.get("www-authenticate"), "Bearer");

    const soon = await newKey(tenant, ["bots:read"], { expires_at: Date.now() + 60_000 });
    assert.equal((await call("GET", `${tenant.at}/bots`, { key: soon.key })).status, 200);
    database.prepare("UPDATE api_key SET expires_at = ? WHERE id = ?").run(Date.now() - 1, soon.id);
    const revoked = await newKey(tenant, ["bots:read", "keys:write"]);
    const { etag } = await call("GET", `${tenant.at}/keys/${revoked.id}`);
    assert.equal((await call("DELETE", `${tenant.at}/keys/${revoked.id}`, { key: revoked.key })).status, 204);
    assert.equal((await call("DELETE", `${tenant.at}/keys/${revoked.id}`)).status, 204);
    const after = await call("GET", `${tenant.at}/keys/${revoked.id}`);
    assert.ok(after.json.revoked_at > 0 && after.etag !== etag);

    const wrong = (text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
    const elsewhere = await settled();
    const answers = [];
    for (const bad of [
      soon.key, revoked.key, wrong(key.key), wrong(edge.adminKey), edge.adminKey.toUpperCase(), edge.adminKey.slice(0, 32), "x", `${key.prefix}_`, hashOf(key.id),
      key.key.replace(tenant.id, elsewhere.id), key.key.replace(key.id, ulid()), key.key.toUpperCase(), `${key.key}_`, "bulle_____",
    ]) {
      const { status, json } = await call("GET", `${tenant.at}/bots`, { key: bad });
      answers.push(JSON.stringify([status, { ...json, request_id: "" }]));
    }
    assert.deepEqual([...new Set(answers)].length, 1, answers.join("\n"));
    assert.match(answers[0], /^\[401,.*"api_key_invalid"/);
    const visitor = await new Visitor(edge).open();
    assert.deepEqual(refusal(await call("GET", tenant.at, { key: visitor.token })), [401, "api_key_invalid"]);
    assert.deepEqual(refusal(await call("POST", `${tenant.at}/keys`, { body: { name: "x", scopes: ["bots:read"], expires_at: Date.now() - 1 } })), [422, "invalid_value"]);
    assert.ok(!edge.log().includes(key.key.split("_")[3]) && !edge.log().includes(`Bearer ${edge.adminKey}`));
  });

  const hashOf = (id) => database.prepare("SELECT hash FROM api_key WHERE id = ?").get(id).hash;

  test("note their last use, at most once a minute", async () => {
    const tenant = await settled();
    const key = await newKey(tenant, ["bots:read"]);
    const used = () => database.prepare("SELECT last_used_at FROM api_key WHERE id = ?").get(key.id).last_used_at;
    assert.equal(used(), null);
    await call("GET", `${tenant.at}/bots`, { key: key.key });
    const first = used();
    assert.ok(Math.abs(Date.now() - first) < 60_000);
    await call("GET", `${tenant.at}/bots`, { key: key.key });
    assert.equal(used(), first);
    database.prepare("UPDATE api_key SET last_used_at = ? WHERE id = ?").run(first - 61_000, key.id);
    await call("GET", `${tenant.at}/bots`, { key: key.key });
    assert.ok(used() >= first);
  });

  test("are good for their scopes and nothing else", async () => {
    const tenant = await settled();
    const any = { headers: { "if-match": '"0"' } };
    // The routes that each scope opens. The `If-Match` is that of no version, so that nothing is changed.
    const table = [
      ["tenant:read", "GET", ""], ["tenant:write", "PATCH", "", { body: {}, ...any }],
      ["bots:read", "GET", "/bots"], ["bots:read", "GET", "/bots/guide"], ["bots:write", "POST", "/bots", { body: {} }],
      ["bots:write", "PATCH", "/bots/guide", { body: {}, ...any }], ["bots:write", "DELETE", "/bots/guide", any],
      ["sites:read", "GET", "/sites"], ["sites:read", "GET", `/sites/${tenant.site}`], ["sites:write", "POST", "/sites", { body: {} }],
      ["sites:write", "PATCH", `/sites/${tenant.site}`, { body: {}, ...any }], ["sites:write", "DELETE", `/sites/${tenant.site}`, any],
      ["keys:read", "GET", "/keys"], ["keys:read", "GET", `/keys/${ulid()}`], ["keys:write", "POST", "/keys", { body: {} }], ["keys:write", "DELETE", `/keys/${ulid()}`],
      ["identity:read", "GET", "/identity-secrets"], ["identity:write", "POST", "/identity-secrets", { body: { nope: 1 } }],
      ["identity:write", "DELETE", `/identity-secrets/${ulid()}`],
      ["conversations:read", "GET", `/answers/${ulid()}/prompt`],
      ["notices:read", "GET", "/notices"], ["notices:write", "POST", "/notices/test"], ["notices:write", "GET", "/notices/secret"],
      ["usage:read", "GET", "/usage"], ["usage:read", "GET", `/answers/${ulid()}`],
    ];
    const with_ = {}, without = {};
    for (const scope of SCOPES) {
      with_[scope] = (await newKey(tenant, [scope])).key;
      without[scope] = (await newKey(tenant, SCOPES.filter((other) => other !== scope))).key;
    }
    for (const [scope, method, path, options] of table) {
      const good = await call(method, tenant.at + path, { ...options, key: with_[scope] });
      assert.ok(![401, 403].includes(good.status), `${scope} ${method} ${path}: ${good.text}`);
      const bad = await call(method, tenant.at + path, { ...options, key: without[scope] });
      assert.deepEqual(refusal(bad), [403, "scope_missing"], `${scope} ${method} ${path}`);
      assert.ok(bad.json.detail.includes(`"${scope}"`));
    }
    const all = await newKey(tenant, SCOPES);
    for (const [method, path] of [["GET", "/tenants"], ["POST", "/tenants"], ["DELETE", tenant.at]]) {
      assert.deepEqual(refusal(await call(method, path, { key: all.key })), [403, "scope_missing"]);
    }
    // A key cannot grant scopes that it lacks.
    const maker = await newKey(tenant, ["keys:write", "bots:read"]);
    const more = await call("POST", `${tenant.at}/keys`, { key: maker.key, body: { name: "x", scopes: ["bots:read", "bots:write"] } });
    assert.deepEqual(refusal(more), [403, "scope_missing"]);
    assert.ok(more.json.detail.includes('"bots:write"'));
    await newKey(tenant, ["bots:read"], {}, { key: maker.key });
  });

  test("see of another tenant what they see of none", async () => {
    const mine = await settled();
    const theirs = await settled();
    const secret = await created(`${theirs.at}/identity-secrets`);
    const foreign = await newKey(theirs, ["bots:read"]);
    const { key } = await newKey(mine, SCOPES);
    const nobody = theirs.id.replace(/^t\d+/, (text) => text.replace(/./g, "z"));
    const none = ulid();
    const headers = { "if-match": "*", "idempotency-key": "cross" };
    for (const [method, path] of [
      ["GET", ""], ["PATCH", ""], ["DELETE", ""], ["GET", "/bots"], ["POST", "/bots"], ["GET", "/bots/guide"], ["PATCH", "/bots/guide"], ["DELETE", "/bots/guide"],
      ["GET", "/sites"], ["POST", "/sites"], ...["GET", "PATCH", "DELETE"].map((method) => [method, `/sites/${theirs.site}`]),
      ["GET", "/keys"], ["POST", "/keys"], ["GET", `/keys/${foreign.id}`], ["DELETE", `/keys/${foreign.id}`],
      ["GET", "/identity-secrets"], ["POST", "/identity-secrets"], ["DELETE", `/identity-secrets/${secret.id}`], ["GET", "?nope=1"],
      ["GET", "/notices"], ["POST", "/notices/test"], ["GET", "/notices/secret"],
      ["GET", "/usage"], ["GET", "/usage?nope=1"], ["GET", `/answers/${none}`],
    ]) {
      const bytes = async (at) => {
        const { status, text, json, headers: got } = await call(method, at, { key, headers, body: method === "POST" || method === "PATCH" ? {} : undefined });
        const kept = [...got].filter(([name]) => !["x-request-id", "date"].includes(name));
        return JSON.stringify([status, text.replace(json?.request_id, ""), kept]);
      };
      const there = await bytes(theirs.at + path);
      assert.match(there, /^\[404,/);
      assert.equal(there, await bytes(`/tenants/${nobody}${path}`), `${method} ${path}`);
    }
    // Another tenant's resources under one's own path get the same answer as unknown ones.
    for (const [path, unknown] of [[`/sites/${theirs.site}`, "/sites/nope"], [`/keys/${foreign.id}`, `/keys/${none}`], [`/identity-secrets/${secret.id}`, `/identity-secrets/${none}`]]) {
      for (const method of path.startsWith("/sites") ? ["GET", "PATCH", "DELETE"] : ["DELETE"]) {
        const text = async (at) => {
          const answer = await call(method, mine.at + at, { key, headers, body: method === "PATCH" ? {} : undefined });
          return `${answer.status} ${answer.text.replace(answer.json?.request_id, "")}`;
        };
        assert.equal(await text(path), await text(unknown));
        assert.match(await text(path), /^404/);
      }
    }
    assert.equal((await call("GET", `${theirs.at}/sites/${theirs.site}`)).status, 200);
    assert.equal((await call("GET", `${theirs.at}/identity-secrets`)).json.items.length, 1);
    // A site cannot show another tenant's bot.
    await created(`${theirs.at}/bots`, { id: "secret-bot", settings: { name: "S" } });
    const stolen = await call("POST", `${mine.at}/sites`, { key, body: { bot_id: "secret-bot", origins: [edge.site] } });
    assert.deepEqual(refusal(stolen), [422, "invalid_value"]);
  });

  test("without ADMIN_KEY, or with a short one, nobody is the operator", async () => {
    const closed = await startEdge({ vars: { ADMIN_KEY: "" } });
    try {
      for (const key of ["", "short", edge.adminKey, "undefined"]) {
        assert.equal((await call("GET", "/tenants", { key, url: closed.url })).status, 401, key);
      }
      const { ok, checks } = await (await fetch(`${closed.url}/health`)).json();
      assert.equal(ok, true);
      const { detail, ok: fine } = checks.find(({ name }) => name === "admin");
      assert.match(detail, /^closed: set the secret ADMIN_KEY/);
      assert.equal(fine, true);
    } finally {
      await closed.stop();
    }
    const { checks } = await (await fetch(`${edge.url}/health`)).json();
    assert.equal(checks.find(({ name }) => name === "admin").detail, "open");
  });
});

describe("lists", () => {
  test("come in pages and know filters", async () => {
    const { at } = await settled();
    const ids = ["guide"];
    for (let n = 0; n < 6; n += 1) {
      await created(`${at}/bots`, { id: `b${n}`, settings: { name: `Bot ${n}` } });
      ids.push(`b${n}`);
      await created(`${at}/sites`, { bot_id: n % 2 ? "b1" : "b0", origins: [edge.site], name: `Site ${n}` });
    }
    const walk = async (path, id = "id") => {
      const seen = [];
      for (let after = ""; after !== undefined; ) {
        const { json } = await call("GET", `${path}limit=2${after && `&after=${after}`}`);
        assert.ok(json.items.length <= 2 && (json.items.length > 0 || seen.length === 0));
        seen.push(...json.items.map((item) => item[id]));
        after = json.next;
      }
      return seen;
    };
    assert.deepEqual(await walk(`${at}/bots?`), ids.sort());
    const { items } = (await call("GET", `${at}/sites`)).json;
    assert.deepEqual(items.map(({ name }) => name), ["", ...[0, 1, 2, 3, 4, 5].map((n) => `Site ${n}`)]);
    assert.deepEqual(await walk(`${at}/sites?`, "key"), items.map(({ key }) => key));
    assert.deepEqual((await call("GET", `${at}/sites?bot=b1`)).json.items.map(({ name }) => name), ["Site 1", "Site 3", "Site 5"]);
    await call("PATCH", `${at}/bots/b2`, { body: { status: "paused" }, headers: { "if-match": "*" } });
    assert.deepEqual(await walk(`${at}/bots?status=paused&`), ["b2"]);
    assert.deepEqual(await walk(`${at}/bots?status=active&`), ids.filter((id) => id !== "b2"));
    await call("PATCH", at, { body: { status: "paused" }, headers: { "if-match": "*" } });
    assert.ok((await call("GET", "/tenants?status=paused&limit=100")).json.items.some(({ id }) => at.endsWith(id)));
    assert.ok(!(await call("GET", "/tenants?status=active&limit=100")).json.items.some(({ id }) => at.endsWith(id)));
    for (const query of ["limit=0", "limit=101", "limit=x", "limit=", "limit=+5", "limit=1&limit=2", "status=gone", "bot=b1", "nope=1", `after=${"x".repeat(65)}`]) {
      assert.deepEqual(refusal(await call("GET", `${at}/bots?${query}`)), [400, "invalid_parameter"], query);
    }
  });
});

describe("changes", () => {
  test("need the version that was read", async () => {
    const { at, site } = await settled();
    for (const path of ["", "/bots/guide", `/sites/${site}`]) {
      const first = await call("GET", at + path);
      const match = (etag) => ({ body: { status: "paused" }, headers: { "if-match": etag } });
      assert.deepEqual(refusal(await call("PATCH", at + path, { body: {} })), [428, "precondition_required"]);
      assert.deepEqual(refusal(await call("DELETE", at + path)), [428, "precondition_required"]);
      for (const stale of ['"2"', "1", '"01"', '""', "nonsense"]) {
        assert.deepEqual(refusal(await call("PATCH", at + path, match(stale))), [412, "precondition_failed"], stale);
      }
      const changed = await call("PATCH", at + path, match(first.etag));
      assert.deepEqual([changed.status, changed.etag, changed.json.status], [200, '"2"', "paused"]);
      assert.ok(changed.json.updated_at >= first.json.updated_at);
      assert.deepEqual({ ...changed.json, status: "active", updated_at: 0 }, { ...first.json, updated_at: 0 });
      assert.deepEqual(refusal(await call("PATCH", at + path, match(first.etag))), [412, "precondition_failed"]);
      assert.deepEqual(refusal(await call("DELETE", at + path, { headers: { "if-match": first.etag } })), [412, "precondition_failed"]);
      // A patch that changes nothing creates no version.
      assert.equal((await call("PATCH", at + path, match("*"))).etag, '"2"');
      const back = await call("PATCH", at + path, { body: { status: "active" }, headers: { "if-match": 'W/"2"' } });
      assert.equal(back.etag, '"3"');
      assert.equal((await call("GET", at + path, { headers: { "if-none-match": '"2"' } })).status, 200);
      for (const known of ['"3"', 'W/"3"', '"1", "3"', "*"]) {
        const same = await call("GET", at + path, { headers: { "if-none-match": known } });
        assert.deepEqual([same.status, same.text, same.etag], [304, "", '"3"']);
      }
    }
    assert.deepEqual(refusal(await call("PATCH", `${at}/bots/nope`, { body: {} })), [404, "not_found"]);
  });

  test("of ten at once with one ETag, one is made; of ten to any version, all are", async () => {
    const { at } = await settled();
    const patch = (n, etag) => call("PATCH", `${at}/bots/guide`, { body: { settings: { tagline: { [`x${n}`]: "." } } }, headers: { "if-match": etag } });
    const once = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(n, '"1"')));
    assert.deepEqual(once.map(({ status }) => status).sort(), [200, ...Array(9).fill(412)]);
    const all = await Promise.all(Array.from({ length: 3 }, (_, n) => patch(20 + n, "*")));
    assert.deepEqual(all.map(({ status }) => status), [200, 200, 200]);
    assert.equal(Object.keys((await call("GET", `${at}/bots/guide`)).json.settings.tagline).length, 4);
  });

  test("are merge patches of what may be changed", async () => {
    const { at, site } = await settled();
    const patch = (path, body) => call("PATCH", at + path, { body, headers: { "if-match": "*", "content-type": "application/merge-patch+json" } });
    const bot = await patch("/bots/guide", { settings: { greeting: { fr: "Salut", en: "Hi" }, limits: { tiers: { premium: null } } } });
    assert.deepEqual([bot.json.settings.name, bot.json.settings.greeting], ["Guide", { fr: "Salut", en: "Hi" }]);
    assert.deepEqual(Object.keys(bot.json.settings.limits.tiers), ["free"]);
    const less = await patch("/bots/guide", { settings: { greeting: { en: null } } });
    assert.deepEqual(less.json.settings.greeting, { fr: "Salut" });
    await created(`${at}/bots`, { id: "second", settings: { name: "Second" } });
    const moved = await patch(`/sites/${site}`, { bot_id: "second", name: "Nom", origins: ["https://a.test"], environment: "staging" });
    assert.deepEqual([moved.json.bot_id, moved.json.name, moved.json.origins, moved.json.environment], ["second", "Nom", ["https://a.test"], "staging"]);
    for (const [path, body, code] of [
      ["", { id: "other" }, "invalid_json"], ["", { name: null }, "invalid_json"], ["", { name: " " }, "invalid_value"], ["", { created_at: 1 }, "invalid_json"], ["", [], "invalid_json"],
      ["", "{", "invalid_json"], ["", { settings: { budget: { tokens_per_day: -1 } } }, "invalid_json"], ["", { nope: 1 }, "invalid_json"],
      ["/bots/guide", { settings: { name: "" } }, "invalid_value"], ["/bots/guide", { settings: { nope: 1 } }, "invalid_json"], ["/bots/guide", { settings: null }, "invalid_json"],
      ["/bots/guide", { settings: { theme: { accent: "red" } } }, "invalid_json"], ["/bots/guide", { settings: { limits: { anonymous_tier: "gold" } } }, "invalid_value"],
      [`/sites/${site}`, { bot_id: "nope" }, "invalid_value"], [`/sites/${site}`, { origins: [] }, "invalid_value"], [`/sites/${site}`, { key: "x" }, "invalid_json"],
      [`/sites/${site}`, { origins: ["https://a.test/"] }, "invalid_value"], [`/sites/${site}`, { environment: "moon" }, "invalid_json"],
      ["", new Uint8Array([0x7b, 0xff]), "not_utf8"],
    ]) {
      const answer = await patch(path, body);
      assert.equal(answer.json.code, code, `${path} ${JSON.stringify(body)} ${answer.text}`);
      assert.equal(answer.status, code === "invalid_value" ? 422 : 400);
    }
    const unknown = await patch(`/sites/${site}`, { bot_id: "nope" });
    assert.match(unknown.json.detail, /^bot_id: this tenant has no bot "nope"/);
    assert.equal((await call("PATCH", at, { body: "x".repeat(70_000), headers: { "if-match": "*" } })).status, 413);
  });

  test("show in the script at once", async () => {
    const { at, site } = await settled();
    const script = async () => (await fetch(`${edge.url}/s/${site}.js`)).text();
    assert.ok((await script()).includes('"Guide"'));
    await call("PATCH", `${at}/bots/guide`, { body: { settings: { name: "Nouveau nom", theme: { accent: "#123456" } } }, headers: { "if-match": "*" } });
    const now = await script();
    assert.ok(now.includes('"Nouveau nom"') && now.includes("#123456"));
    // Changed origins apply at once, too.
    const open = async () => (await new Visitor(edge, { site }).fetch("/v1/sessions", { method: "POST", body: { site } })).status;
    assert.equal(await open(), 201);
    await call("PATCH", `${at}/sites/${site}`, { body: { origins: ["https://elsewhere.test"] }, headers: { "if-match": "*" } });
    assert.equal(await open(), 403);
    await call("DELETE", `${at}/sites/${site}`, { headers: { "if-match": "*" } });
    assert.match(await script(), /^console\.error/);
  });
});

describe("creations", () => {
  test("are refused with what to do", async () => {
    const { at, id } = await settled();
    const site = (more) => ({ bot_id: "guide", origins: [edge.site], ...more });
    for (const [path, body, expected, detail] of [
      ["/tenants", { id, name: "x" }, [409, "already_exists"], id], ["/tenants", { id: "A", name: "x" }, [422, "invalid_value"], /^id: /],
      ["/tenants", { id: "a".repeat(41), name: "x" }, [422, "invalid_value"], /^id: /], ["/tenants", { id: "ok" }, [400, "invalid_json"], /name/],
      ["/tenants", { id: "ok", name: "x", status: "active" }, [400, "invalid_json"], /status/], ["/tenants", undefined, [400, "invalid_json"], /./],
      [`${at}/bots`, { id: "guide", settings: { name: "x" } }, [409, "already_exists"], "guide"], [`${at}/bots`, { id: "x", settings: {} }, [422, "invalid_value"], /^settings\.name: /],
      [`${at}/sites`, site({ key: "mine" }), [400, "invalid_json"], /key/], [`${at}/sites`, site({ bot_id: "nope" }), [422, "invalid_value"], /^bot_id: .*"nope"/],
      [`${at}/sites`, site({ origins: ["example.com"] }), [422, "invalid_value"], /"https:\/\/example\.com"/], [`${at}/sites`, site({ name: "a\u0000b" }), [422, "invalid_value"], /^name: /],
      [`${at}/keys`, { name: "x", scopes: [] }, [422, "invalid_value"], /^scopes: /], [`${at}/keys`, { name: "x", scopes: ["all"] }, [400, "invalid_json"], /bots:read/],
      [`${at}/identity-secrets`, { x: 1 }, [400, "invalid_json"], /./], ["/tenants/nope/bots", { id: "x", settings: { name: "x" } }, [404, "not_found"], /./],
    ]) {
      const answer = await call("POST", path, { body });
      assert.deepEqual(refusal(answer), expected, answer.text);
      assert.ok(detail instanceof RegExp ? detail.test(answer.json.detail) : answer.json.detail.includes(detail), answer.json.detail);
    }
  });

  test("happen once for one Idempotency-Key", async () => {
    const { id, at } = await settled();
    const post = (path, body, key, more) => call("POST", path, { body, headers: { "idempotency-key": key }, ...more });
    const rows = (table) => database.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`).get(id).n;
    // The same key, one request after the other.
    const first = await post(`${at}/sites`, { bot_id: "guide", origins: [edge.site] }, "one");
    const again = await post(`${at}/sites`, { bot_id: "guide", origins: [edge.site] }, "one");
    assert.deepEqual([again.status, again.text, again.etag, again.headers.get("location")], [201, first.text, first.etag, first.headers.get("location")]);
    assert.deepEqual([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")], [null, "true"]);
    assert.equal(rows("site"), 2);
    for (const [path, body] of [["/sites", { bot_id: "guide", origins: ["https://a.test"] }], ["/bots", { bot_id: "guide", origins: [edge.site] }]]) {
      assert.deepEqual(refusal(await post(at + path, body, "one")), [422, "idempotency_conflict"]);
    }
    // Ten requests at once, for every kind of resource.
    for (const [path, body, table] of [
      ["/sites", { bot_id: "guide", origins: [edge.site] }, "site"], ["/bots", { id: "racer", settings: { name: "R" } }, "bot"],
      ["/keys", { name: "R", scopes: ["bots:read"] }, "api_key"], ["/identity-secrets", undefined, "identity_secret"],
    ]) {
      const before = rows(table);
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(at + path, body, `race${path}`)));
      assert.deepEqual(answers.map(({ status }) => status), Array(10).fill(201), answers.map(({ text }) => text).join("\n"));
      assert.equal(rows(table), before + 1, path);
      assert.equal(answers.filter(({ headers }) => !headers.has("idempotent-replayed")).length, 1);
      assert.equal(new Set(answers.map(({ json }) => json.id ?? json.key)).size, 1);
      // The secret is shown only once.
      assert.equal(answers.filter(({ json }) => json.secret || (json.id && json.key)).length, path === "/keys" || path === "/identity-secrets" ? 1 : 0);
    }
    const name = `race-${Date.now()}`;
    const tenants = await Promise.all(Array.from({ length: 10 }, () => post("/tenants", { id: name, name }, name)));
    assert.deepEqual(tenants.map(({ status }) => status), Array(10).fill(201));
    assert.equal(tenants.filter(({ headers }) => headers.has("idempotent-replayed")).length, 9);
    // No secret is stored.
    for (const { response } of database.prepare("SELECT response FROM idempotency WHERE tenant_id = ?").all(id)) {
      assert.ok(!/"secret"|bulle_[^"]*_[0-9a-f]{64}/.test(response));
    }
    // A day later the idempotency key can be used again.
    database.prepare("UPDATE idempotency SET created_at = created_at - 86400000 WHERE tenant_id = ?").run(id);
    const later = await post(`${at}/sites`, { bot_id: "guide", origins: ["https://b.test"] }, "one");
    assert.deepEqual([later.status, later.headers.get("idempotent-replayed")], [201, null]);
    assert.equal(rows("idempotency"), 1);
    // Idempotency keys of other tenants are independent.
    const other = await settled();
    assert.equal((await post(`${other.at}/sites`, { bot_id: "guide", origins: [edge.site] }, "one")).headers.get("idempotent-replayed"), null);
    for (const bad of ["", " ", "a b", "x".repeat(256), "é"]) {
      const answer = await call("POST", `${at}/sites`, { body: { bot_id: "guide", origins: [edge.site] }, headers: { "idempotency-key": Buffer.from(bad).toString("latin1") } });
      assert.deepEqual(refusal(answer), [400, "invalid_parameter"], bad);
    }
  });

  test("without one happen each time, and a taken id is told", async () => {
    const { at } = await settled();
    const answers = await Promise.all(Array.from({ length: 5 }, () => call("POST", `${at}/bots`, { body: { id: "same", settings: { name: "S" } } })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
  });
});

test("identity secrets are two at most, and go", async () => {
  const { at } = await settled();
  const first = await created(`${at}/identity-secrets`);
  const second = await created(`${at}/identity-secrets`, {});
  assert.notEqual(first.secret, second.secret);
  assert.deepEqual(refusal(await call("POST", `${at}/identity-secrets`)), [409, "too_many"]);
  assert.deepEqual((await call("GET", `${at}/identity-secrets`)).json.items.map(({ id }) => id).sort(), [first.id, second.id].sort());
  assert.equal((await call("DELETE", `${at}/identity-secrets/${first.id}`)).status, 204);
  assert.deepEqual(refusal(await call("DELETE", `${at}/identity-secrets/${first.id}`)), [404, "not_found"]);
  await created(`${at}/identity-secrets`);
});

test("no page may read an answer, and nobody keeps one", async () => {
  const { at } = await settled();
  for (const method of ["GET", "OPTIONS", "PATCH"]) {
    const response = await fetch(`${edge.url}/v1/admin${at}`, {
      method,
      headers: { origin: "https://evil.test", authorization: `Bearer ${edge.adminKey}`, "access-control-request-method": "PATCH" },
    });
    const cors = [...response.headers.keys()].filter((name) => name.startsWith("access-control"));
    assert.deepEqual(cors, [], method);
    assert.equal(response.headers.get("cache-control"), "no-store");
  }
  assert.deepEqual(refusal(await call("PUT", at)), [405, "method_not_allowed"]);
  assert.deepEqual(refusal(await call("GET", "/nope")), [404, "not_found"]);
});
