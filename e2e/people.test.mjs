// Roles against real workerd: every operation of the owner's API as every role, memberships, and other tenants.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Owner } from "./support/owner.mjs";
import { PASSWORD, Person } from "./support/person.mjs";

const read = (file) => JSON.parse(readFileSync(new URL(`../edge/worker/${file}`, import.meta.url), "utf8"));

let edge, database;
before(async () => {
  edge = await startEdge();
  database = openDatabase(edge);
  await Owner.with(edge, "acme");
  await new Owner(edge, "acme").post("/bots", { id: "other", settings: { name: "Other" } });
  await Owner.with(edge, "globex");
});
after(async () => {
  database?.close();
  await edge?.stop();
});

const told = ({ status, code }) => [status, code];
const plain = ({ status, json }) => JSON.stringify([status, { ...json, request_id: "" }]);

/** The operations of the owner's API: id, method, path with values. */
function operations(tenant = "acme", bot = "bot") {
  const values = { tenant, bot, key: "no-such-site", id: "01HF0000000000000000000000" };
  return Object.entries(read("openapi.json").paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags[0] === "owner")
      .map(([method, operation]) => ({
        id: operation.operationId,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name) => values[name] ?? "01HF0000000000000000000000"),
      })),
  );
}

/** What a caller gets for an operation, as far as access decides it. */
async function outcome(person, { method, path }, options) {
  // A body that no operation takes: access is decided before it is read.
  const body = method === "GET" || method === "DELETE" ? undefined : "[]";
  const answer = await person.call(method, path, body, options);
  if (answer.code === "scope_missing" || answer.code === "step_up_required") return answer.code;
  return answer.status === 404 && answer.json.detail === "There is nothing at this address." ? "not_found" : "open";
}

test("every role may do what the table says, over HTTP, and nothing else", async () => {
  const table = read("access.json");
  const listed = operations();
  assert.deepEqual(listed.map(({ id }) => id).sort(), Object.keys(table).sort());
  for (const role of ["owner", "admin", "editor", "agent", "analyst"]) {
    const person = await Person.member(edge, "acme", role, `${role}@example.com`);
    for (const operation of listed) {
      const allowed = table[operation.id].roles.includes(role);
      // Nothing that exists is deleted.
      if (operation.method === "DELETE" && operation.path.endsWith("/bots/bot")) operation.path = operation.path.replace(/bot$/, "gone");
      const got = await outcome(person, operation);
      if (allowed) assert.notEqual(got, "scope_missing", `${role} ${operation.id}`);
      else assert.equal(got, "scope_missing", `${role} ${operation.id}`);
    }
    // An hour later, the session may still read, but not do what a thief must not do.
    database.prepare("UPDATE person_session SET proved_at = proved_at - 3600000").run();
    for (const operation of listed.filter(({ id }) => table[id].roles.includes(role))) {
      const expected = table[operation.id].step_up;
      assert.equal((await outcome(person, operation)) === "step_up_required", expected, `${role} ${operation.id} later`);
    }
    assert.equal((await person.stepUp()).status, 200);
  }
});

test("another tenant's id is like nobody's, for every operation", async () => {
  const person = await Person.member(edge, "acme", "owner", "elsewhere@example.com");
  for (const [theirs, nobodys] of operations("globex").map((operation, n) => [operation, operations("nobody")[n]])) {
    if (!theirs.path.includes("/tenants/")) continue;
    const ask = (operation) => person.call(operation.method, operation.path, operation.method === "GET" || operation.method === "DELETE" ? undefined : "[]");
    const [there, nowhere] = [await ask(theirs), await ask(nobodys)];
    assert.deepEqual(told(there), [404, "not_found"], theirs.id);
    assert.equal(plain(there), plain(nowhere), theirs.id);
  }
});

describe("a membership", () => {
  test("of some bots reaches these alone", async () => {
    const person = await Person.member(edge, "acme", "editor", "some@example.com", ["bot"]);
    const { memberships } = await person.account();
    assert.deepEqual(memberships, [{ tenant_id: "acme", tenant_name: "acme", role: "editor", bots: ["bot"], rights: [] }]);
    const at = "/v1/admin/tenants/acme/bots";
    const list = await person.call("GET", at);
    assert.deepEqual(list.json.items.map(({ id }) => id), ["bot"]);
    assert.equal((await person.call("GET", `${at}/bot/sources`)).status, 200);
    const other = await person.call("GET", `${at}/other`);
    const none = await person.call("GET", `${at}/none`);
    assert.deepEqual(told(other), [404, "not_found"]);
    assert.equal(plain(other), plain(none));
    // Another spelling of the same path.
    assert.equal((await person.call("GET", `${at}/%6Fther`)).status, 404);
    assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants/acme/sites")), [403, "scope_missing"]);
    assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants/acme")), [403, "scope_missing"]);
  });

  test("that is taken away ends at the next request", async () => {
    const person = await Person.member(edge, "acme", "editor", "gone@example.com");
    assert.equal((await person.call("GET", "/v1/admin/tenants/acme/bots")).status, 200);
    database.prepare("DELETE FROM membership WHERE person_id = (SELECT id FROM person WHERE email = 'gone@example.com')").run();
    assert.deepEqual(told(await person.call("GET", "/v1/admin/tenants/acme/bots")), [404, "not_found"]);
    assert.deepEqual((await person.account()).memberships, []);
  });
});

describe("an invitation", () => {
  const invite = (person, tenant, body) => person.call("POST", `/v1/admin/tenants/${tenant}/invitations`, body);

  test("gives no more than whoever invites has", async () => {
    const admin = await Person.member(edge, "acme", "admin", "admin2@example.com");
    assert.deepEqual(told(await invite(admin, "acme", { email: "x@example.com", role: "owner" })), [403, "scope_missing"]);
    assert.equal((await invite(admin, "acme", { email: "x@example.com", role: "admin" })).status, 201);
    const key = await new Owner(edge, "acme").post("/keys", { name: "K", scopes: ["people:write", "bots:read"] });
    const byKey = { headers: { authorization: `Bearer ${key.key}` } };
    const refused = await admin.call("POST", "/v1/admin/tenants/acme/invitations", { email: "x@example.com", role: "analyst" }, byKey);
    assert.deepEqual(told(refused), [403, "scope_missing"]);
    for (const body of [{ email: "x", role: "agent" }, { email: "x@example.com", role: "agent", bots: [] }]) {
      assert.deepEqual(told(await invite(admin, "acme", body)), [422, "invalid_value"]);
    }
    assert.deepEqual(told(await invite(admin, "acme", { email: "x@example.com", role: "operator" })), [400, "invalid_json"]);
  });

  test("for an address with an account needs its password, and changes nothing of it", async () => {
    const person = await Person.member(edge, "acme", "agent", "both@example.com");
    const operator = await Person.operator(edge, "inviter@example.com");
    const { token } = (await invite(operator, "globex", { email: "both@example.com", role: "analyst" })).json;
    // Whoever holds the link alone does not get into the account.
    const thief = new Person(edge);
    assert.deepEqual(told(await thief.accept(token, { password: "a password of a thief" })), [401, "credentials_invalid"]);
    assert.equal((await new Person(edge).signIn("both@example.com", "a password of a thief")).status, 401);
    const joined = await new Person(edge).accept(token, { password: PASSWORD });
    assert.equal(joined.status, 201);
    assert.deepEqual(joined.json.memberships.map(({ tenant_id, role }) => [tenant_id, role]), [["acme", "agent"], ["globex", "analyst"]]);
    assert.equal((await person.call("GET", "/v1/admin/tenants/globex/bots")).status, 200);
    // Who is signed in needs no password.
    const { token: second } = (await invite(operator, "globex", { email: "third@example.com", role: "agent" })).json;
    assert.equal((await person.accept(second, {})).status, 201);
    assert.deepEqual(told(await new Person(edge).signIn("third@example.com")), [401, "credentials_invalid"]);
  });

  test("is used by one of two at once, and not after its time", async () => {
    const operator = await Person.operator(edge, "inviter2@example.com");
    const { token } = (await invite(operator, "globex", { email: "race@example.com", role: "agent" })).json;
    const answers = await Promise.all([1, 2, 3].map((n) => new Person(edge).accept(token, { password: `an own password ${n}` })));
    assert.deepEqual(answers.map(({ status }) => status).sort((a, b) => a - b)[0], 201);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(database.prepare("SELECT count(*) AS n FROM person WHERE email = 'race@example.com'").get().n, 1);
    const { token: late, id } = (await invite(operator, "globex", { email: "late@example.com", role: "agent" })).json;
    database.prepare("UPDATE invitation SET expires_at = 1 WHERE id = ?").run(id);
    assert.deepEqual(told(await new Person(edge).accept(late)), [410, "invitation_invalid"]);
  });
});
