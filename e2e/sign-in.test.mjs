// People sign in against real workerd: the first one by link, passwords, cookies, other origins, the end of sessions.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { PASSWORD, Person } from "./support/person.mjs";
import { Visitor, ulid } from "./support/client.mjs";

let edge, database;
before(async () => {
  edge = await startEdge();
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
});

const told = ({ status, code }) => [status, code];
const count = (table) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get().n;
/** An answer without what differs from request to request. */
const plain = ({ status, json }) => JSON.stringify([status, { ...json, request_id: "" }]);

test("the first person comes by a link, once, and everything that a key may do they may do", async () => {
  const link = await Person.link(edge, "First@Example.com ");
  assert.equal(link.email, "first@example.com");
  assert.equal(link.url, `${new URL(edge.url).origin}/console/#invitation=${link.token}`);
  const person = new Person(edge);
  const weak = await person.accept(link.token, { password: "password1234" });
  assert.deepEqual(told(weak), [422, "invalid_value"]);
  const account = await person.accept(link.token, { password: PASSWORD, name: "First" });
  assert.equal(account.status, 201);
  assert.deepEqual([account.json.person.name, account.json.person.operator, account.json.memberships], ["First", true, []]);
  // Nothing of the token, the password or the session is stored or logged.
  const stored = JSON.stringify(["person", "person_session", "invitation"].map((table) => database.prepare(`SELECT * FROM ${table}`).all()));
  const secrets = [link.token.split("_").at(-1), PASSWORD, person.cookie.split("_").at(-1)];
  for (const secret of secrets) assert.ok(!stored.includes(secret) && !edge.log().includes(secret), secret);
  assert.match(database.prepare("SELECT password FROM person WHERE email = 'first@example.com'").get().password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);

  const again = await new Person(edge).accept(link.token);
  const never = await new Person(edge).accept(link.token.slice(0, -1) + (link.token.endsWith("0") ? "1" : "0"));
  const none = await new Person(edge).accept("x");
  assert.deepEqual(told(again), [410, "invitation_invalid"]);
  assert.equal(plain(again), plain(never));
  assert.equal(plain(again), plain(none));

  const made = await person.call("POST", "/v1/admin/tenants", { id: "by-person", name: "By a person" });
  assert.equal(made.status, 201, made.text);
  const key = await person.call("POST", "/v1/admin/tenants/by-person/keys", { name: "K", scopes: ["tenant:read"] });
  assert.equal(key.status, 201);
  const { etag } = Object.fromEntries((await person.call("GET", "/v1/admin/tenants/by-person")).headers);
  assert.equal((await person.call("DELETE", "/v1/admin/tenants/by-person", undefined, { headers: { "if-match": etag } })).status, 204);
  assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants/by-person")), [404, "not_found"]);
});

describe("a password", () => {
  test("that is wrong, and an address that is unknown, get the same answer", async () => {
    await Person.operator(edge, "known@example.com");
    const answers = [];
    for (const [email, password] of [
      ["known@example.com", "not the right password"], ["unknown@example.com", PASSWORD], ["unknown@example.com", ""], ["no address", PASSWORD], ["", ""],
    ]) answers.push(plain(await new Person(edge).signIn(email, password)));
    assert.equal(new Set(answers).size, 1, answers.join("\n"));
    assert.match(answers[0], /^\[401,.*"credentials_invalid"/);
    const before = count("person_session");
    const person = new Person(edge);
    assert.equal((await person.signIn("KNOWN@example.com")).status, 200);
    assert.equal(count("person_session"), before + 1);
    assert.equal((await person.account()).person.email, "known@example.com");
  });

  test("is tried more slowly after a few failures, whoever the account is of, and the owner gets in from elsewhere", async () => {
    await Person.operator(edge, "slow@example.com");
    for (const [email, expected] of [["slow@example.com", 200], ["nobody@example.com", 401]]) {
      const guesser = new Person(edge);
      const statuses = [];
      // The pauses double, so that a slow machine has to wait for one of them, too.
      while (statuses.at(-1) !== 429 && statuses.length < 15) statuses.push((await guesser.signIn(email, "wrong password")).status);
      assert.ok(statuses.length > 5 && statuses.slice(0, 5).every((status) => status === 401), `${statuses}`);
      const right = await guesser.signIn(email);
      assert.deepEqual(told(right), [429, "rate_limited"]);
      assert.ok(Number(right.headers.get("retry-after")) >= 1);
      assert.equal((await new Person(edge).signIn(email)).status, expected);
    }
  });
});

describe("a session", () => {
  test("is a cookie that no script reads and no other site sends", async () => {
    const person = await Person.operator(edge, "cookie@example.com");
    assert.match(person.setCookie, /^bulle=[0-9A-Z]{26}_[0-9a-f]{64}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Strict$/);
    const listed = (await person.call("GET", "/v1/account/sessions")).json.items;
    assert.equal(listed.length, 1);
    assert.equal(listed[0].current, true);
    assert.ok(listed[0].proved_until > Date.now() && listed[0].expires_at > Date.now());
  });

  test("is of no use to a page of another origin", async () => {
    const person = await Person.operator(edge, "origin@example.com");
    const { cookie } = person;
    const own = new URL(edge.url).origin;
    for (const [method, path, options] of [
      // A form that another site posts, a page of another port, a program without an origin.
      ["POST", "/v1/admin/tenants", { origin: "https://evil.example", headers: { "content-type": "text/plain", "sec-fetch-site": "cross-site" } }],
      ["POST", "/v1/admin/tenants", { origin: edge.site, headers: { "sec-fetch-site": "same-site" } }],
      ["POST", "/v1/admin/tenants", { origin: edge.site }],
      ["POST", "/v1/admin/tenants", { origin: "null" }],
      ["POST", "/v1/admin/tenants", { origin: null }],
      ["POST", "/v1/admin/tenants", { origin: null, headers: { "sec-fetch-site": "none" } }],
      ["DELETE", "/v1/account/sessions", { origin: edge.site }],
      ["POST", "/v1/account/sign-out", { origin: edge.site }],
      ["GET", "/v1/admin/tenants", { origin: edge.site }],
      ["GET", "/v1/account", { origin: null, headers: { "sec-fetch-site": "same-site" } }],
    ]) {
      const body = path.endsWith("tenants") && method === "POST" ? { id: "stolen", name: "Stolen" } : undefined;
      const answer = await person.call(method, path, body, { cookie, ...options });
      assert.deepEqual(told(answer), [403, "origin_not_allowed"], `${method} ${path} ${JSON.stringify(options)}`);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
    const preflight = await person.fetch("/v1/account/sign-in", { method: "OPTIONS", origin: edge.site, headers: { "access-control-request-method": "POST" } });
    assert.equal(preflight.headers.get("access-control-allow-origin"), null);
    assert.equal(count("tenant WHERE id = 'stolen'"), 0);
    for (const options of [{ origin: own }, { origin: null, headers: { "sec-fetch-site": "same-origin" } }]) {
      assert.equal((await person.call("GET", "/v1/account", undefined, { cookie, ...options })).status, 200);
    }
    // A name that a subdomain could set is not the edge's over HTTPS; a cookie twice is nobody's.
    const twice = await person.call("GET", "/v1/account", undefined, { cookie: `${cookie}; ${cookie}` });
    assert.deepEqual(told(twice), [401, "token_invalid"]);
    // Signing in from elsewhere would sign somebody in as another.
    const forged = await new Person(edge, { origin: "https://evil.example" }).signIn("origin@example.com");
    assert.deepEqual(told(forged), [403, "origin_not_allowed"]);
  });

  test("ends by hand, everywhere at once, and by time", async () => {
    const first = await Person.operator(edge, "ends@example.com");
    const second = new Person(edge);
    await second.signIn("ends@example.com");
    const third = new Person(edge);
    await third.signIn("ends@example.com");
    const [{ id }] = (await first.call("GET", "/v1/account/sessions")).json.items.filter((session) => !session.current);
    // Nobody else's.
    const stranger = await Person.operator(edge, "stranger@example.com");
    const strange = await stranger.call("DELETE", `/v1/account/sessions/${id}`);
    const unknown = await stranger.call("DELETE", `/v1/account/sessions/${ulid()}`);
    assert.deepEqual(told(strange), [404, "not_found"]);
    assert.equal(plain(strange), plain(unknown));
    assert.equal((await first.call("DELETE", `/v1/account/sessions/${id}`)).status, 204);
    const left = [second, third].filter((person) => person.cookie.includes(id));
    assert.equal(left.length, 1);
    assert.deepEqual(told(await left[0].call("GET", "/v1/account")), [401, "token_invalid"]);
    const gone = first.cookie;
    assert.equal((await first.call("DELETE", "/v1/account/sessions")).status, 204);
    assert.equal(first.cookie, undefined);
    assert.match(first.setCookie, /Max-Age=0/);
    for (const cookie of [gone, second.cookie, third.cookie]) {
      assert.equal((await first.call("GET", "/v1/account", undefined, { cookie })).status, 401);
    }
    assert.deepEqual(told(await new Person(edge).call("GET", "/v1/account")), [401, "token_missing"]);

    const idle = new Person(edge);
    await idle.signIn("ends@example.com");
    const session = idle.cookie.match(/=([0-9A-Z]{26})_/)[1];
    database.prepare("UPDATE person_session SET seen_at = seen_at - ? WHERE id = ?").run(12 * 3_600_000, session);
    assert.deepEqual(told(await idle.call("GET", "/v1/account")), [401, "token_invalid"]);
    const out = new Person(edge);
    await out.signIn("ends@example.com");
    const { cookie } = out;
    assert.equal((await out.call("POST", "/v1/account/sign-out")).status, 204);
    assert.equal((await out.call("GET", "/v1/account", undefined, { cookie })).status, 401);
  });

  test("proves the password again before what a thief must not do", async () => {
    const person = await Person.operator(edge, "proves@example.com");
    const session = person.cookie.match(/=([0-9A-Z]{26})_/)[1];
    database.prepare("UPDATE person_session SET proved_at = proved_at - 600000 WHERE id = ?").run(session);
    assert.equal((await person.call("GET", "/v1/admin/tenants")).status, 200);
    assert.deepEqual(told(await person.call("POST", "/v1/admin/tenants", { id: "later", name: "Later" })), [403, "step_up_required"]);
    assert.deepEqual(told(await person.stepUp("not the right password")), [401, "credentials_invalid"]);
    const before = person.cookie;
    assert.equal((await person.stepUp()).status, 200);
    assert.notEqual(person.cookie, before);
    assert.equal((await person.call("GET", "/v1/account", undefined, { cookie: before })).status, 401);
    const made = await person.call("POST", "/v1/admin/tenants", { id: "later", name: "Later" });
    assert.equal(made.status, 201);
  });

  test("stays when its password changes, and no other one does", async () => {
    const person = await Person.operator(edge, "changes@example.com");
    const other = new Person(edge);
    await other.signIn("changes@example.com");
    const change = (password, more) => person.call("PUT", "/v1/account/password", { password, new_password: more });
    assert.deepEqual(told(await change("not the right password", "quite another secret")), [401, "credentials_invalid"]);
    assert.deepEqual(told(await change(PASSWORD, "123456789012")), [422, "invalid_value"]);
    assert.equal((await change(PASSWORD, "quite another secret")).status, 204);
    assert.equal((await person.account()).person.email, "changes@example.com");
    assert.equal((await other.call("GET", "/v1/account")).status, 401);
    assert.equal((await new Person(edge).signIn("changes@example.com")).status, 401);
    assert.equal((await new Person(edge).signIn("changes@example.com", "quite another secret")).status, 200);
    // Who is locked out gets a link, which signs a thief out.
    const { token } = await Person.link(edge, "changes@example.com", false);
    const back = new Person(edge);
    assert.equal((await back.accept(token, { password: "the third of its secrets" })).status, 201);
    assert.equal((await person.call("GET", "/v1/account")).status, 401);
    assert.equal((await back.account()).person.operator, true);
  });

  test("is no visitor's token, and a visitor's token no session", async () => {
    const person = await Person.operator(edge, "mixed@example.com");
    const visitor = await new Visitor(edge).open();
    const token = person.cookie.split("=")[1];
    const asKey = { origin: null, cookie: null, headers: { authorization: `Bearer ${token}` } };
    assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants", undefined, asKey)), [401, "api_key_invalid"]);
    assert.equal((await visitor.fetch("/v1/conversations", { token })).status, 401);
    assert.equal((await person.call("GET", "/v1/account", undefined, { cookie: `bulle=${visitor.token}` })).status, 401);
    // A key counts before a cookie.
    const wrong = { headers: { authorization: "Bearer bulle_x" } };
    assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants", undefined, wrong)), [401, "api_key_invalid"]);
    // Models are for keys.
    assert.equal((await person.fetch("/v1/models")).status, 401);
  });
});

test("without its secrets, or away from the console's own address, sign-in is closed and says why", async () => {
  const closed = await startEdge({ vars: { PASSWORD_PEPPER: "", CONSOLE_ORIGIN: "https://console.example.com" } });
  try {
    const answer = await new Person(closed).signIn("a@example.com");
    assert.deepEqual(told(answer), [503, "misconfigured"]);
    assert.match(answer.json.detail, /PASSWORD_PEPPER/);
    const stale = await new Person(closed).call("GET", "/v1/admin/tenants", undefined, { cookie: `bulle=${ulid()}_${"0".repeat(64)}` });
    assert.deepEqual(told(stale), [503, "misconfigured"]);
    // Keys and visitors are served.
    const key = { headers: { authorization: `Bearer ${closed.adminKey}` } };
    assert.equal((await new Person(closed).call("GET", "/v1/admin/tenants", undefined, key)).status, 200);
    assert.ok((await new Visitor(closed).open()).token);
  } finally {
    await closed.stop();
  }
  const elsewhere = await startEdge({ vars: { CONSOLE_ORIGIN: "https://console.example.com/" } });
  try {
    const link = await Person.link(elsewhere, "a@example.com");
    assert.match(link.url, /^https:\/\/console\.example\.com\/console\/#invitation=_/);
    const refused = await new Person(elsewhere).accept(link.token);
    assert.deepEqual(told(refused), [403, "origin_not_allowed"]);
    assert.match(refused.json.detail, /console\.example\.com/);
  } finally {
    await elsewhere.stop();
  }
});
