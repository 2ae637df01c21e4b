// The audit over HTTP: who changed what, who read what visitors said, and what never stands in it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { Person } from "./support/person.mjs";

const WORDS = "how much is the secret xylophone";

let edge, database, owner, conversation;
before(async () => {
  edge = await startEdge();
  database = openDatabase(edge);
  const acme = await Owner.with(edge, "acme", { limits: GENEROUS });
  await Owner.with(edge, "globex");
  owner = await Person.member(edge, "acme", "owner", "owner@example.com");
  const visitor = await new Visitor(edge, { site: acme.site.key }).open();
  await visitor.ask(WORDS);
  conversation = (await owner.call("GET", "/v1/admin/tenants/acme/conversations")).json.items[0].id;
});
after(async () => {
  database?.close();
  await edge?.stop();
});

const told = ({ status, code }) => [status, code];
const at = (path) => `/v1/admin/tenants/acme${path}`;
const audit = async (person = owner, query = "") => (await person.call("GET", at(`/audit${query}`))).json;
const latest = async () => (await audit()).items[0];

describe("the audit", () => {
  test("has each change with who, what and when, of a person or of a key", async () => {
    const { id } = (await owner.account()).person;
    const before = Date.now();
    await owner.call("POST", at("/bots"), { id: "more", settings: { name: "More" } });
    const made = await latest();
    assert.deepEqual([made.action, made.object, made.person_id, made.email, made.key_id], ["bot_create", "bots/more", id, "owner@example.com", undefined]);
    assert.ok(made.at >= before - 1000 && made.at <= Date.now() + 1000);
    const key = (await owner.call("POST", at("/keys"), { name: "CI", scopes: ["bots:write", "audit:read"], personal: true })).json;
    assert.deepEqual([(await latest()).action, (await latest()).object], ["key_create", `keys/${key.id}`]);
    const program = new Person(edge, { origin: null });
    const by = (token) => ({ headers: { authorization: `Bearer ${token}`, "if-match": "*" } });
    await program.call("PATCH", at("/bots/more"), { status: "paused" }, by(key.key));
    const changed = await latest();
    assert.deepEqual([changed.action, changed.object, changed.person_id, changed.key_id, changed.key_name], ["bot_change", "bots/more", id, key.id, "CI"]);
    await program.call("DELETE", at("/bots/more"), undefined, by(edge.adminKey));
    const deleted = await latest();
    assert.deepEqual([deleted.action, deleted.person_id, deleted.key_id], ["bot_delete", undefined, undefined]);
    const person = await Person.member(edge, "acme", "agent", "agent@example.com");
    const agent = (await person.account()).person.id;
    assert.deepEqual([(await latest()).action, (await latest()).person_id], ["invitation_accept", agent]);
    await owner.call("PATCH", at(`/people/${agent}`), { role: "editor" }, { headers: { "if-match": "*" } });
    assert.deepEqual([(await latest()).object, (await latest()).detail], [`people/${agent}`, '{"role":"editor"}']);
  });

  test("has who read a transcript, forms or a secret, and not who read a list of bots", async () => {
    await owner.call("GET", at("/bots"));
    const before = (await audit()).items.length;
    for (const [path, action, object] of [
      [`/conversations/${conversation}`, "transcript", `conversations/${conversation}`],
      ["/forms", "form_list", "forms"],
      ["/notices/secret", "notice_secret", "notices/secret"],
    ]) {
      assert.equal((await owner.call("GET", at(path))).status, 200, path);
      assert.deepEqual([(await latest()).action, (await latest()).object], [action, object]);
    }
    await owner.call("GET", at("/bots"));
    assert.equal((await audit()).items.length, before + 3);
  });

  test("has no refused request, no word of a visitor and no secret", async () => {
    const before = (await audit()).items.length;
    assert.equal((await owner.call("POST", at("/bots"), { id: "bot", settings: { name: "Twice" } })).status, 409);
    assert.equal((await owner.call("GET", at("/conversations/01HF0000000000000000000000"))).status, 404);
    assert.equal((await audit()).items.length, before);
    await owner.call("POST", at(`/conversations/${conversation}/notes`), { text: "a private note" });
    assert.match((await latest()).object, new RegExp(`^conversations/${conversation}/notes/[0-9A-Z]{26}$`));
    const { key } = (await owner.call("POST", at("/keys"), { name: "K", scopes: ["bots:read"] })).json;
    const rows = JSON.stringify(database.prepare("SELECT * FROM audit").all());
    for (const never of [WORDS, "xylophone", "a private note", key.split("_").at(-1), edge.adminKey, owner.cookie.split("_").at(-1)]) {
      assert.ok(!rows.includes(never), never);
    }
  });

  test("is read in pages, by owners and admins of the tenant", async () => {
    const all = (await audit()).items;
    const first = await audit(owner, "?limit=2");
    const second = await audit(owner, `?limit=2&after=${first.next}`);
    assert.deepEqual([...first.items, ...second.items].map(({ id }) => id), all.slice(0, 4).map(({ id }) => id));
    const editor = await Person.member(edge, "acme", "editor", "editor@example.com");
    assert.deepEqual(told(await editor.call("GET", at("/audit"))), [403, "scope_missing"]);
    assert.deepEqual(told(await owner.call("GET", "/v1/admin/tenants/globex/audit")), [404, "not_found"]);
    assert.deepEqual(told(await owner.call("GET", "/v1/admin/audit")), [403, "scope_missing"]);
  });

  test("of the operator has sign-ins, and tenants that are gone", async () => {
    const operator = await Person.operator(edge, "root@example.com");
    await new Person(edge).signIn("root@example.com");
    await operator.call("POST", "/v1/admin/tenants", { id: "brief", name: "Brief" });
    await operator.call("DELETE", "/v1/admin/tenants/brief", undefined, { headers: { "if-match": "*" } });
    const { items } = (await operator.call("GET", "/v1/admin/audit?limit=3")).json;
    assert.deepEqual(items.map(({ action }) => action), ["tenant_delete", "tenant_create", "sign_in"]);
    assert.ok(items.every(({ email }) => email === "root@example.com"));
    assert.deepEqual(items.slice(0, 2).map(({ object }) => object), ["tenants/brief", "tenants/brief"]);
  });

  test("of several conversations that were deleted names each", async () => {
    const answer = await owner.call("POST", at("/conversations/delete"), { ids: [conversation, "01HF0000000000000000000000"] });
    assert.deepEqual(answer.json, { deleted: 1 });
    assert.deepEqual([(await latest()).action, (await latest()).detail], ["conversations_delete", conversation]);
  });
});

test("nothing that visitors said is given out when the audit cannot be written", async () => {
  database.exec("CREATE TRIGGER stuck BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'stuck'); END");
  try {
    const answer = await owner.call("GET", at("/forms"));
    assert.deepEqual(told(answer), [503, "storage_unavailable"]);
    assert.equal((await owner.call("POST", at("/bots"), { id: "after", settings: { name: "After" } })).status, 201);
  } finally {
    database.exec("DROP TRIGGER stuck");
  }
});
