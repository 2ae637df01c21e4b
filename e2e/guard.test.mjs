// The guard against real workerd: sessions, rate limits, quotas and budgets, and the problems of refused requests.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:http";
import { startEdge } from "./support/edge.mjs";
import { Visitor, events, ulid } from "./support/client.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { until } from "./support/wait.mjs";
import { listen } from "./support/listen.mjs";

const SECRET = "a secret of this test, long enough to sign";
const WAYS_IN = { tenant: "/", bot: "/bots/bot", site: (owner) => `/sites/${owner.site.key}` };

let edge, turnstile;
before(async () => {
  turnstile = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      const { secret, response: token } = JSON.parse(body);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ success: secret === "turnstile" && token === "human" }));
    });
  });
  await listen(turnstile);
  const vars = {
    SESSION_SECRET: SECRET,
    TURNSTILE_SECRET: "turnstile",
    TURNSTILE_URL: `http://127.0.0.1:${turnstile.address().port}/siteverify`,
  };
  edge = await startEdge({ vars });
});
after(() => {
  turnstile?.close();
  return edge?.stop();
});

const open = (owner, more) => new Visitor(edge, { site: owner.site.key }).open(more);
const openRaw = (owner, more = {}, headers = {}) =>
  new Visitor(edge).fetch("/v1/sessions", { method: "POST", headers, body: { site: owner.site.key, locale: "fr", ...more } });

/** A header with another caller's address. On Cloudflare the platform sets it, and clients cannot. */
let machines = 0;
const elsewhere = () => ({ "cf-connecting-ip": `198.51.100.${(machines += 1) % 256}` });

async function refused(response, status, code) {
  const problem = await response.json();
  assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem));
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(problem.request_id, response.headers.get("x-request-id"));
  return problem;
}

describe("every route of visitors", () => {
  let owner, me, stranger, foreigner, base;
  before(async () => {
    [owner] = await Promise.all([Owner.with(edge, "routes", { limits: GENEROUS })]);
    const other = await Owner.with(edge, "routes-other", { limits: GENEROUS });
    me = await open(owner);
    await me.ask("Bonjour");
    [stranger, foreigner] = [await open(owner), await open(other)];
    base = `/v1/conversations/${me.conversationId}`;
  });

  const routes = [
    ["GET", () => "/v1/conversations"],
    ["POST", () => "/v1/conversations"],
    ["GET", () => `${base}/messages`, "own"],
    ["POST", () => `${base}/messages`, "own", () => ({ id: ulid(), text: "Bonjour" })],
    ["GET", () => `${base}/events`, "own"],
    ["POST", () => `${base}/cancel`, "own"],
  ];
  const claims = () => JSON.parse(Buffer.from(me.token.split(".")[1], "base64url"));
  const header = { alg: "HS256", typ: "JWT" };
  const tokens = {
    "no token": [() => null, 401, "token_missing"],
    "an expired token": [() => jwt(SECRET, { ...claims(), exp: inSeconds(-1) }, header), 401, "token_expired"],
    "a token signed by somebody else": [() => jwt("x".repeat(40), claims(), header), 401, "token_invalid"],
    "an unsigned token": [() => `${btoa('{"alg":"none"}')}.${me.token.split(".")[1]}.`, 401, "token_invalid"],
    "a token that says more than ours do": [() => jwt(SECRET, { ...claims(), admin: true }, header), 401, "token_invalid"],
    "an API key": [() => edge.adminKey, 401, "token_invalid"],
    "nonsense": [() => "\u007f..é", 401, "token_invalid"],
  };
  for (const [method, path, own, body] of routes) {
    for (const [name, [token, status, code]] of Object.entries(tokens)) {
      test(`${method} ${path.toString().slice(6)} with ${name}`, async () => {
        const value = token();
        const headers = { ...elsewhere(), ...(value === null ? {} : { authorization: `Bearer ${encodeURI(value)}` }) };
        const response = await me.fetch(path(), { method, body: body?.(), token: null, headers });
        await refused(response, status, code);
      });
    }
    test(`${method} ${path.toString().slice(6)} from a wrong origin`, async () => {
      const thief = new Visitor(edge, { origin: "https://evil.test" });
      const problem = await refused(await thief.fetch(path(), { method, body: body?.(), token: me.token }), 403, "origin_not_allowed");
      assert.match(problem.message, /pas disponible/);
    });
    test(`${method} ${path.toString().slice(6)} of a paused tenant`, async () => {
      await owner.patch("", { status: "paused" });
      try {
        await refused(await me.fetch(path(), { method, body: body?.() }), 403, "paused");
      } finally {
        await owner.patch("", { status: "active" });
      }
    });
    if (!own) continue;
    test(`${method} ${path.toString().slice(6)} of another visitor and of another tenant is as if it were not there`, async () => {
      const nowhere = path().replace(me.conversationId, ulid());
      const answers = [];
      for (const [who, where] of [[stranger, path()], [foreigner, path()], [me, nowhere], [foreigner, nowhere]]) {
        const response = await who.fetch(where, { method, body: body?.() });
        const { request_id, ...problem } = await refused(response, 404, "not_found");
        const headers = [...response.headers].filter(([name]) => !["x-request-id", "date"].includes(name));
        answers.push(JSON.stringify([problem, headers]));
      }
      assert.equal(new Set(answers).size, 1, answers.join("\n"));
    });
  }

  test("bodies that are too large are not read, and malformed ones are told so", async () => {
    for (const path of ["/v1/sessions", `${base}/messages`]) {
      for (const [body, status, code] of [
        ["x".repeat(70_000), 413, "body_too_large"],
        ["{", 400, "invalid_json"],
        ["[]", 400, "invalid_json"],
        ['{"a":1}', 400, "invalid_json"],
        [new Uint8Array([0x22, 0xff, 0x22]), 400, "not_utf8"],
      ]) {
        await refused(await me.fetch(path, { method: "POST", body }), status, code);
      }
    }
    // A body without a length is cut off while it is read.
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i += 1) controller.enqueue(new TextEncoder().encode("x".repeat(10_000)));
        controller.close();
      },
    });
    const response = await fetch(`${edge.url}/v1/sessions`, { method: "POST", body: stream, duplex: "half", headers: { origin: edge.site } });
    await refused(response, 413, "body_too_large");
  });

  test("a token belongs to the origin that asked for it", async () => {
    const two = await Owner.with(edge, "two-origins", { limits: GENEROUS }, [edge.site, "https://shop.example.com"]);
    const here = await open(two);
    assert.equal((await here.fetch("/v1/conversations")).status, 200);
    here.origin = "https://shop.example.com";
    await refused(await here.fetch("/v1/conversations"), 401, "token_invalid");
  });
});

describe("every route of owners", () => {
  let owner, keys;
  before(async () => {
    owner = await Owner.with(edge, "owned", { limits: GENEROUS });
    const all = ["tenant", "bots", "sites", "keys", "identity"].flatMap((name) => [`${name}:read`, `${name}:write`]);
    const expires = Date.now() + 5_000;
    const [good, revoked, expired] = await Promise.all(
      [undefined, undefined, expires].map((expires_at) => owner.post("/keys", { name: "Key", scopes: all, expires_at })),
    );
    await owner.remove(`/keys/${revoked.id}`);
    await until("the key has expired", () => Date.now() > expires + 100);
    const me = await open(owner);
    const wrong = good.key.slice(0, -1) + (good.key.endsWith("0") ? "1" : "0");
    keys = {
      "no key": [null, "api_key_missing"],
      "a revoked key": [revoked.key, "api_key_invalid"],
      "an expired key": [expired.key, "api_key_invalid"],
      "a key with one letter changed": [wrong, "api_key_invalid"],
      "the key of a tenant that is not there": [good.key.replace("owned", "nobody"), "api_key_invalid"],
      "the operator's key with one letter missing": [edge.adminKey.slice(0, -1), "api_key_invalid"],
      "a visitor's token": [me.token, "api_key_invalid"],
      "nonsense": ["x", "api_key_invalid"],
    };
  });

  const thing = { bots: "/bots/bot", sites: "/sites/x", keys: "/keys/x", secrets: "/identity-secrets/x" };
  const routes = [
    ["GET", ""], ["PATCH", ""], ["DELETE", ""],
    ...["/bots", "/sites", "/keys", "/identity-secrets"].flatMap((path) => [["GET", path], ["POST", path]]),
    ...[thing.bots, thing.sites].flatMap((path) => [["GET", path], ["PATCH", path], ["DELETE", path]]),
    ["GET", thing.keys], ["DELETE", thing.keys], ["DELETE", thing.secrets],
    ["GET", "", undefined], ["POST", "", undefined],
  ];
  for (const [method, path, ...all] of routes) {
    const tenant = all.length === 0 ? "owned" : undefined;
    test(`${method} /tenants${tenant ? "/owned" : ""}${path}`, async () => {
      const body = method === "POST" || method === "PATCH" ? { name: "x" } : undefined;
      const say = (key, more = {}) => new Owner(edge, tenant).fetch(path, { method, body, key, headers: { ...elsewhere(), "if-match": "*" }, ...more });
      const answers = new Set();
      for (const [name, [key, code]] of Object.entries(keys)) {
        const { request_id, ...problem } = await refused(await say(key), 401, code);
        if (code === "api_key_invalid") answers.add(JSON.stringify(problem));
        assert.equal(answers.size > 1, false, name);
      }
      if (!body) return;
      await refused(await say(edge.adminKey, { body: "x".repeat(70_000) }), 413, "body_too_large");
      await refused(await say(edge.adminKey, { body: "{" }), 400, "invalid_json");
    });
  }
});

describe("a pause", () => {
  for (const [name, where] of Object.entries(WAYS_IN)) {
    test(`of the ${name} closes every door at once, and opens it again`, async () => {
      const tenant = `paused-${name}`;
      const owner = await Owner.with(edge, tenant, { limits: { ...GENEROUS, refusals: { fr: { paused: "Fermé le dimanche." } } } });
      const path = (typeof where === "string" ? where : where(owner)).replace(/\/$/, "");
      const me = await open(owner);
      await me.ask("Bonjour");
      await owner.patch(path, { status: "paused" });
      const script = await (await fetch(`${edge.url}/s/${owner.site.key}.js`)).text();
      assert.match(script, /^console\.error\("\[Bulle\] The owner has paused/);
      for (const response of [
        await openRaw(owner),
        await openRaw(owner, { resume: me.token }),
        await me.fetch("/v1/conversations"),
        await me.post({ id: ulid(), text: "Bonjour" }),
      ]) {
        assert.equal((await refused(response, 403, "paused")).message, "Fermé le dimanche.");
      }
      await owner.patch(path, { status: "active" });
      assert.equal((await me.history()).items.length, 2);
    });
  }
});

describe("known visitors", () => {
  let owner, first, second;
  before(async () => {
    owner = await Owner.with(edge, "known", { limits: { ...GENEROUS, tiers: { free: { per_minute: 100 }, gold: { per_minute: 50, per_day: 500 } } } });
    [first, second] = [await owner.post("/identity-secrets"), await owner.post("/identity-secrets")];
  });
  const claims = (more) => ({ sub: "user-42", tier: "gold", exp: inSeconds(3600), name: "Adélaïde", ...more });
  const identity = (more, secret = first.secret, header) => jwt(secret, claims(more), header);

  test("are the same on every device, with the tier that the site gives them", async () => {
    const laptop = await open(owner, { identity: identity() });
    assert.deepEqual([laptop.session.visitor.tier, laptop.session.visitor.name], ["gold", "Adélaïde"]);
    assert.deepEqual([laptop.session.limits.per_minute, laptop.session.limits.per_day], [50, 500]);
    await laptop.ask("Bonjour");
    const phone = await open(owner, { identity: identity({}, second.secret) });
    assert.equal(phone.session.visitor.id, laptop.session.visitor.id);
    assert.equal(phone.session.conversation.id, laptop.conversationId);
    phone.conversationId = phone.session.conversation.id;
    assert.equal((await phone.history()).items.length, 2);
    const somebody = await open(owner, { identity: identity({ sub: "user-43" }), resume: laptop.token });
    assert.notEqual(somebody.session.visitor.id, laptop.session.visitor.id);
    assert.equal(somebody.session.conversation, undefined);
    const signedOut = await open(owner, { resume: laptop.token });
    assert.notEqual(signedOut.session.visitor.id, laptop.session.visitor.id);
    assert.equal(signedOut.session.visitor.tier, "free");
  });

  test("are nobody when the identity is not good", async () => {
    for (const [name, token, code] of [
      ["none", identity({}, first.secret, { alg: "none" }).replace(/[^.]*$/, ""), "identity_invalid"],
      ["another algorithm", identity({}, first.secret, { alg: "HS512" }), "identity_invalid"],
      ["another key", identity({}, "0".repeat(64)), "identity_invalid"],
      ["past its end", identity({ exp: inSeconds(-61) }), "identity_expired"],
      ["without an end", identity({ exp: undefined }), "identity_invalid"],
      ["good for too long", identity({ exp: inSeconds(25 * 3600) }), "identity_invalid"],
      ["without a subject", identity({ sub: undefined }), "identity_invalid"],
      ["of no tier", identity({ tier: "platinum" }), "identity_invalid"],
      ["a session token", (await open(owner)).token, "identity_invalid"],
    ]) {
      const problem = await refused(await openRaw(owner, { identity: token }, elsewhere()), 401, code);
      assert.ok(problem.message.length > 10, name);
    }
    // A difference of a minute between the clocks is tolerated.
    assert.equal((await openRaw(owner, { identity: identity({ exp: inSeconds(-30) }) })).status, 201);
  });

  test("are not vouched for by a secret that was revoked, or that of another tenant", async () => {
    const other = await Owner.with(edge, "known-other", { limits: GENEROUS });
    const theirs = await other.post("/identity-secrets");
    await refused(await openRaw(owner, { identity: identity({}, theirs.secret) }), 401, "identity_invalid");
    const before = identity({}, second.secret);
    assert.equal((await openRaw(owner, { identity: before })).status, 201);
    await owner.remove(`/identity-secrets/${second.id}`);
    await refused(await openRaw(owner, { identity: before }), 401, "identity_invalid");
    assert.equal((await openRaw(owner, { identity: identity() })).status, 201);
  });

  test("may be the only ones", async () => {
    const stranger = await open(owner);
    await owner.patch("/bots/bot", { settings: { access: { identified_only: true } } });
    assert.match((await refused(await openRaw(owner), 403, "identity_required")).message, /Connectez-vous/);
    await refused(await stranger.fetch("/v1/conversations"), 401, "token_invalid");
    assert.equal((await openRaw(owner, { identity: identity() })).status, 201);
  });
});

describe("limits", () => {
  const upgrade = { label: { fr: "Passer à Premium", en: "Go premium" }, url: "https://example.com/premium" };
  const address = GENEROUS.address;
  const ask = (me) => me.post({ id: ulid(), text: "Bonjour" });
  /** Sends a message and reads the answer to its end. */
  const asked = async (me) => {
    const response = await ask(me);
    assert.equal(response.status, 200, await (response.status === 200 ? "" : response.text()));
    const list = await Array.fromAsync(events(response));
    return { done: list.at(-1).data, headers: response.headers };
  };

  for (const store of ["kv", "exact"]) {
    test(`${store}: three a minute for anonymous visitors, told in headers, the answer and the refusal`, async () => {
      const tiers = { free: { per_minute: 3, per_day: 4, memory: 3, upgrade }, premium: { per_minute: 10 } };
      const owner = await Owner.with(edge, `limits-${store}`, { limits: { store, tiers, address, refusals: { fr: { minute: "Doucement : {time} !" } } } });
      const me = await open(owner);
      assert.deepEqual([me.session.limits.per_minute, me.session.limits.per_day], [3, 4]);
      for (let n = 1; n <= 3; n += 1) {
        const { done, headers } = await asked(me);
        assert.deepEqual(done.remaining, { minute: 3 - n, day: 4 - n });
        assert.match(headers.get("ratelimit-policy"), /"minute";q=3;w=60/);
        assert.match(headers.get("ratelimit-policy"), /"day";q=4;w=86400/);
        assert.match(headers.get("ratelimit"), new RegExp(`"minute";r=${3 - n};t=(60|5\\d)`));
        assert.match(headers.get("ratelimit"), new RegExp(`"day";r=${4 - n};t=\\d+`));
      }
      const response = await ask(me);
      const problem = await refused(response, 429, "rate_limited");
      assert.match(problem.message, /^Doucement : (60|5\d) s !$/);
      assert.deepEqual(problem.action, { label: "Passer à Premium", url: upgrade.url });
      assert.ok(problem.limits.some(({ name, remaining }) => name === "minute" && remaining === 0));
      assert.equal(Number(response.headers.get("retry-after")), problem.retry_after);
      assert.match(response.headers.get("ratelimit"), /"minute";r=0;t=/);
      // Another visitor is not affected.
      assert.equal((await asked(await open(owner))).done.remaining.minute, 2);
    });

    test(`${store}: the messages of a day are exact, however many come at once`, async () => {
      const tiers = { free: { per_minute: 1000, per_day: 10, upgrade }, premium: { per_minute: 10 } };
      const owner = await Owner.with(edge, `day-${store}`, { limits: { store, tiers, address } });
      const me = await open(owner);
      const conversations = await Promise.all(Array.from({ length: 30 }, async () => (await (await me.fetch("/v1/conversations", { method: "POST" })).json()).id));
      const responses = await Promise.all(
        conversations.map((id) => me.fetch(`/v1/conversations/${id}/messages`, { method: "POST", body: { id: ulid(), text: "Bonjour" } })),
      );
      assert.equal(responses.filter(({ status }) => status === 200).length, 10);
      const last = responses.find(({ status }) => status === 429);
      const problem = await refused(last, 429, "quota_exceeded");
      assert.match(problem.message, /messages d’aujourd’hui/);
      assert.equal(problem.action.url, upgrade.url);
      const midnight = new Date().setUTCHours(24, 0, 0, 0);
      assert.ok(Math.abs(problem.retry_after - (midnight - Date.now()) / 1000) < 30);
      for (const response of responses) await response.body?.cancel().catch(() => {});
    });
  }

  test("the same message again, and one that was refused for another reason, cost nothing", async () => {
    const tiers = { free: { per_minute: 100, per_day: 3 } };
    const owner = await Owner.with(edge, "free-of-charge", { limits: { tiers, address } });
    const me = await open(owner);
    const id = ulid();
    for (let n = 0; n < 3; n += 1) assert.equal((await me.ask("Bonjour", id)).at(-1).data.remaining.day, 2);
    const mine = me.conversationId;
    // Another visitor's conversation: charged, refused, refunded. The first message cannot be refunded this way.
    for (const message of [ulid(), id]) {
      me.conversationId = ulid();
      assert.equal((await me.post({ id: message, text: "Bonjour" })).status, 404);
      me.conversationId = mine;
    }
    // A retry of a turn that has not failed is a replay: charged, and refunded.
    assert.equal((await me.ask("Bonjour", id, { retry: true })).at(-1).event, "done");
    assert.equal((await asked(me)).done.remaining.day, 1);
    // The same message id in another conversation is another message.
    me.conversationId = undefined;
    assert.equal((await me.ask("Bonjour", id)).at(-1).data.remaining.day, 0);
    me.conversationId = undefined;
    await refused(await me.post({ id, text: "Bonjour" }), 429, "quota_exceeded");
  });

  test("new sessions of one network are limited, those of returning visitors are not", async () => {
    const owner = await Owner.with(edge, "crowd", { limits: { address: { ...address, sessions_per_minute: 5 } } });
    const first = await open(owner);
    for (let n = 1; n < 5; n += 1) await open(owner);
    const problem = await refused(await openRaw(owner), 429, "rate_limited");
    assert.ok(problem.retry_after > 0 && problem.message.length > 0);
    assert.equal((await openRaw(owner, { resume: first.token })).status, 201);
  });
});

describe("a challenge", () => {
  test("is asked of new visitors once, and checked with Turnstile", async () => {
    const owner = await Owner.with(edge, "challenge", { limits: GENEROUS, access: { turnstile: "0x4AAA" } });
    const asked = await refused(await openRaw(owner), 403, "challenge_required");
    assert.deepEqual([asked.action.label, asked.message.length > 0], ["0x4AAA", true]);
    await refused(await openRaw(owner, { challenge: "robot" }), 403, "challenge_failed");
    const passed = await openRaw(owner, { challenge: "human" });
    assert.equal(passed.status, 201);
    assert.equal((await openRaw(owner, { resume: (await passed.json()).token })).status, 201);
  });
});

describe("guessing", () => {
  test("at identities is slowed down for the network that does it", async () => {
    const owner = await Owner.with(edge, "guessed", { limits: GENEROUS });
    const { secret } = await owner.post("/identity-secrets");
    const codes = [];
    const here = elsewhere();
    const claims = { sub: "1", tier: "free", exp: inSeconds(60) };
    const right = jwt(secret, claims);
    // What a page does to a token is no guess: neither what is still good, nor what is not.
    for (let n = 0; n < 25; n += 1) {
      await refused(await openRaw(owner, { identity: `a.b.${n}` }, here), 401, "identity_invalid");
      assert.equal((await openRaw(owner, { identity: `"${right}"\n` }, here)).status, 201);
    }
    for (let n = 0; n < 25; n += 1) codes.push((await (await openRaw(owner, { identity: jwt(`${n}`, claims) }, here)).json()).code);
    assert.equal(codes.at(-1), "rate_limited");
    // Now the right secret is refused, too; requests without a secret are not affected.
    await refused(await openRaw(owner, { identity: right }, here), 429, "rate_limited");
    assert.equal((await openRaw(owner, {}, here)).status, 201);
    assert.equal((await openRaw(owner, { identity: right }, elsewhere())).status, 201);
  });
});

describe("headers", () => {
  test("tell browsers what may not be done with an answer", async () => {
    for (const path of ["/health", "/v1/conversations", "/nope", "/openapi.json"]) {
      const { headers } = await fetch(edge.url + path, { headers: { origin: "https://evil.test" } });
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("referrer-policy"), "no-referrer", path);
      assert.match(headers.get("strict-transport-security"), /max-age=31536000/, path);
      assert.match(headers.get("permissions-policy"), /camera=\(\)/, path);
      assert.match(headers.get("content-security-policy"), /frame-ancestors 'none'/, path);
      assert.equal(headers.get("access-control-allow-credentials"), null, path);
      assert.equal(headers.get("access-control-allow-origin"), "https://evil.test", path);
      assert.match(headers.get("vary"), /origin/, path);
    }
    const script = await fetch(`${edge.url}/s/twin-demo.js`);
    assert.equal(script.headers.get("content-security-policy"), "default-src 'none'; frame-ancestors http://localhost:* http://127.0.0.1:*");
  });

  test("no log line holds an address, a secret or what was said", async () => {
    const log = edge.log();
    assert.ok(log.includes('"request_id"'));
    for (const secret of [SECRET, edge.adminKey, "127.0.0.1:", "Bonjour", "Adélaïde", "user-42"]) {
      const told = log.split("\n").filter((line) => line.startsWith("{") && line.includes(secret));
      assert.deepEqual(told, [], secret);
    }
  });
});
