// The people of a tenant over HTTP: who changes and removes whom, keys that belong to a person, invitations and their mail.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { listen } from "./support/listen.mjs";
import { Owner } from "./support/owner.mjs";
import { PASSWORD, Person } from "./support/person.mjs";

let edge, database, mails, letters;
before(async () => {
  letters = [];
  mails = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    letters.push({ ...JSON.parse(body), key: request.headers["idempotency-key"] });
    response.writeHead(JSON.parse(body).to.startsWith("refused") ? 500 : 202).end();
  });
  const port = await listen(mails);
  edge = await startEdge({ vars: { EMAIL_URL: `http://127.0.0.1:${port}/mail`, EMAIL_FROM: "bulle@example.com" } });
  database = openDatabase(edge);
  await Owner.with(edge, "acme");
  await Owner.with(edge, "globex");
});
after(async () => {
  database?.close();
  await edge?.stop();
  mails?.close();
  if (mails) await once(mails, "close");
});

const told = ({ status, code }) => [status, code];
const plain = ({ status, json }) => JSON.stringify([status, { ...json, request_id: "" }]);
const at = (tenant, path = "") => `/v1/admin/tenants/${tenant}/people${path}`;
const idOf = async (person) => (await person.account()).person.id;
const change = (person, tenant, id, patch, match = "*") =>
  person.call("PATCH", at(tenant, `/${id}`), patch, { headers: { "if-match": match } });
const remove = (person, tenant, id, match = "*") => person.call("DELETE", at(tenant, `/${id}`), undefined, { headers: { "if-match": match } });
/** A tenant with an owner who is signed in. */
async function tenant(id) {
  await Owner.with(edge, id);
  return Person.member(edge, id, "owner", `owner@${id}.example`);
}

describe("people of a tenant", () => {
  test("are listed, and their role, bots and rights change from the next request on", async () => {
    const owner = await tenant("list");
    const editor = await Person.member(edge, "list", "editor", "editor@list.example");
    const list = await owner.call("GET", at("list"));
    assert.deepEqual(list.json.items.map(({ email, role, rights }) => [email, role, rights]), [
      ["owner@list.example", "owner", ["export", "code"]], ["editor@list.example", "editor", []],
    ]);
    const first = await owner.call("GET", `${at("list")}?limit=1`);
    assert.equal((await owner.call("GET", `${at("list")}?limit=1&after=${first.json.next}`)).json.items[0].email, "editor@list.example");
    const id = await idOf(editor);
    const one = await owner.call("GET", at("list", `/${id}`));
    const etag = one.headers.get("etag");
    const changed = await change(owner, "list", id, { role: "analyst", bots: ["bot"], rights: ["export"] }, etag);
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual([changed.json.role, changed.json.bots, changed.json.rights], ["analyst", ["bot"], ["export"]]);
    assert.deepEqual(told(await change(owner, "list", id, { role: "agent" }, etag)), [412, "precondition_failed"]);
    assert.deepEqual(told(await owner.call("PATCH", at("list", `/${id}`), { role: "agent" })), [428, "precondition_required"]);
    const made = await editor.call("POST", "/v1/admin/tenants/list/bots", { id: "more", settings: { name: "More" } });
    assert.deepEqual(told(made), [403, "scope_missing"]);
    for (const [patch, expected] of [
      [{ role: "operator" }, [400, "invalid_json"]], [{ bots: [] }, [422, "invalid_value"]], [{ rights: ["export", "export"] }, [422, "invalid_value"]],
      [{ email: "x@example.com" }, [400, "invalid_json"]], [[], [400, "invalid_json"]],
    ]) assert.deepEqual(told(await change(owner, "list", id, patch)), expected, JSON.stringify(patch));
  });

  test("who are owners are made, changed and removed by owners alone, and the last one stays", async () => {
    const owner = await tenant("keep");
    const admin = await Person.member(edge, "keep", "admin", "admin@keep.example");
    const [owners, admins] = [await idOf(owner), await idOf(admin)];
    assert.deepEqual(told(await change(admin, "keep", owners, { role: "agent" })), [403, "scope_missing"]);
    assert.deepEqual(told(await change(admin, "keep", admins, { role: "owner" })), [403, "scope_missing"]);
    assert.deepEqual(told(await change(admin, "keep", admins, { rights: ["code"] })), [403, "scope_missing"]);
    assert.deepEqual(told(await remove(admin, "keep", owners)), [403, "scope_missing"]);
    for (const last of [
      await change(owner, "keep", owners, { role: "admin" }),
      await change(owner, "keep", owners, { bots: ["bot"] }),
      await remove(owner, "keep", owners),
    ]) {
      assert.deepEqual(told(last), [409, "last_owner"]);
      assert.match(last.json.detail, /Make somebody else an owner first/);
    }
    assert.equal((await change(owner, "keep", admins, { role: "owner" })).status, 200);
    assert.equal((await change(owner, "keep", owners, { role: "admin" })).status, 200);
    assert.equal((await remove(admin, "keep", owners)).status, 204);
  });

  test("who were removed a second ago are signed out, and in no tenant any more have no account", async () => {
    const owner = await tenant("gone");
    const person = await Person.member(edge, "gone", "admin", "person@gone.example");
    const elsewhere = await Person.member(edge, "gone", "admin", "both@gone.example");
    const operator = await Person.operator(edge, "operator@gone.example");
    const { token } = (await operator.call("POST", "/v1/admin/tenants/globex/invitations", { email: "both@gone.example", role: "agent" })).json;
    assert.equal((await elsewhere.accept(token, {})).status, 201);
    for (const who of [person, elsewhere]) {
      const { cookie } = who;
      const id = await idOf(who);
      const mine = await who.call("POST", "/v1/admin/tenants/gone/keys", { name: "Mine", scopes: ["bots:read"], personal: true });
      assert.equal(mine.json.person_id, id, mine.text);
      const byKey = { cookie: null, origin: null, headers: { authorization: `Bearer ${mine.json.key}` } };
      assert.equal((await who.call("GET", "/v1/admin/tenants/gone/bots", undefined, byKey)).status, 200);
      assert.equal((await remove(owner, "gone", id)).status, 204);
      for (const path of ["/v1/account", "/v1/admin/tenants/gone/bots"]) {
        assert.deepEqual(told(await who.call("GET", path, undefined, { cookie })), [401, "token_invalid"]);
      }
      assert.deepEqual(told(await who.call("GET", "/v1/admin/tenants/gone/bots", undefined, byKey)), [401, "api_key_invalid"]);
      const again = await remove(owner, "gone", id);
      assert.equal(plain(again), plain(await remove(owner, "gone", "01HF0000000000000000000000")));
    }
    assert.deepEqual(told(await new Person(edge).signIn("person@gone.example")), [401, "credentials_invalid"]);
    const back = new Person(edge);
    assert.equal((await back.signIn("both@gone.example")).status, 200);
    assert.deepEqual((await back.account()).memberships.map(({ tenant_id }) => tenant_id), ["globex"]);
  });

  test("of another tenant are nobody", async () => {
    const owner = await tenant("here");
    const theirs = await idOf(await Person.member(edge, "globex", "agent", "theirs@globex.example"));
    const nobody = "01HF0000000000000000000000";
    for (const ask of [
      (id) => owner.call("GET", at("here", `/${id}`)), (id) => change(owner, "here", id, { role: "agent" }), (id) => remove(owner, "here", id),
      (id) => owner.call("GET", at("globex", `/${id}`)), (id) => remove(owner, "globex", id), (id) => owner.call("GET", at("nobody", `/${id}`)),
    ]) {
      const answer = await ask(theirs);
      assert.deepEqual(told(answer), [404, "not_found"]);
      assert.equal(plain(answer), plain(await ask(nobody)));
    }
    assert.equal(database.prepare("SELECT role FROM membership WHERE person_id = ?").get(theirs).role, "agent");
  });
});

describe("a key of a person", () => {
  test("permits no more than its person may do now", async () => {
    const owner = await tenant("keys");
    const admin = await Person.member(edge, "keys", "admin", "admin@keys.example");
    const scopes = ["bots:read", "bots:write", "sites:read", "people:read"];
    const mine = await admin.call("POST", "/v1/admin/tenants/keys/keys", { name: "Mine", scopes, personal: true });
    const ask = (path) => new Person(edge, { origin: null }).call("GET", `/v1/admin/tenants/keys${path}`, undefined, { headers: { authorization: `Bearer ${mine.json.key}` } });
    assert.equal((await ask("/people")).status, 200);
    await change(owner, "keys", await idOf(admin), { role: "editor", bots: ["bot"] });
    const refused = await ask("/people");
    assert.deepEqual(told(refused), [403, "scope_missing"]);
    assert.match(refused.json.detail, /or the person whose key it is/);
    assert.deepEqual(told(await ask("/sites")), [403, "scope_missing"]);
    assert.equal((await ask("/bots/bot")).status, 200);
    assert.deepEqual(told(await ask("/bots/other")), [404, "not_found"]);
  });

  test("is of somebody who is signed in, and has no right that they lack", async () => {
    const owner = await tenant("rights");
    const admin = await Person.member(edge, "rights", "admin", "admin@rights.example");
    const make = (person, body) => person.call("POST", "/v1/admin/tenants/rights/keys", { name: "K", ...body });
    const byOperator = await new Person(edge, { origin: null }).call("POST", "/v1/admin/tenants/rights/keys", { name: "K", scopes: ["bots:read"], personal: true }, { headers: { authorization: `Bearer ${edge.adminKey}` } });
    assert.deepEqual(told(byOperator), [422, "invalid_value"]);
    assert.deepEqual(told(await make(admin, { scopes: ["data:export"] })), [403, "scope_missing"]);
    assert.equal((await make(owner, { scopes: ["data:export", "code:write"] })).status, 201);
    const late = await make(owner, { scopes: ["bots:read"], expires_at: 1 });
    assert.deepEqual(told(late), [422, "invalid_value"]);
    assert.match(late.json.detail, /expires_at: give a time to come/);
  });
});

describe("an invitation", () => {
  const path = (tenant, more = "") => `/v1/admin/tenants/${tenant}/invitations${more}`;

  test("is listed, revoked, and given another link", async () => {
    const owner = await tenant("invite");
    const invited = await owner.call("POST", path("invite"), { email: "new@invite.example", role: "editor", rights: ["export"] });
    assert.deepEqual([invited.json.mailed, invited.json.rights], [false, ["export"]]);
    const [listed] = (await owner.call("GET", path("invite"))).json.items;
    assert.deepEqual([listed.id, listed.email, listed.token, listed.url], [invited.json.id, "new@invite.example", undefined, undefined]);
    const renew = (body = {}) => owner.call("POST", path("invite", `/${invited.json.id}/renew`), body);
    const early = await renew();
    assert.deepEqual([...told(early), early.headers.get("retry-after")], [429, "rate_limited", "60"]);
    database.prepare("UPDATE invitation SET created_at = created_at - 60000, expires_at = 1 WHERE id = ?").run(invited.json.id);
    const renewed = await renew();
    assert.equal(renewed.status, 200, renewed.text);
    assert.deepEqual(told(await new Person(edge).accept(invited.json.token)), [410, "invitation_invalid"]);
    assert.equal((await owner.call("DELETE", path("invite", `/${invited.json.id}`))).status, 204);
    const revoked = await new Person(edge).accept(renewed.json.token);
    assert.deepEqual(told(revoked), [410, "invitation_invalid"]);
    assert.deepEqual(told(await owner.call("DELETE", path("invite", `/${invited.json.id}`))), [404, "not_found"]);
    assert.deepEqual((await owner.call("GET", path("invite"))).json.items, []);
    // Whoever renews it sees the link, so an admin cannot renew that of an owner.
    const admin = await Person.member(edge, "invite", "admin", "admin@invite.example");
    const big = (await owner.call("POST", path("invite"), { email: "big@invite.example", role: "owner" })).json;
    assert.deepEqual(told(await admin.call("POST", path("invite", `/${big.id}/renew`), {})), [403, "scope_missing"]);
  });

  test("gives the rights that it names, and the last owner does not lose the role by it", async () => {
    const owner = await tenant("last");
    const person = await Person.operator(edge, "inviter@last.example");
    const { token } = (await person.call("POST", path("last"), { email: "owner@last.example", role: "analyst" })).json;
    const answer = await owner.accept(token, {});
    assert.equal(answer.json.memberships[0].role, "owner");
    const other = await person.call("POST", path("last"), { email: "code@last.example", role: "agent", rights: ["code"] });
    const accepted = await new Person(edge).accept(other.json.token, { password: PASSWORD });
    assert.deepEqual(accepted.json.memberships[0].rights, ["code"]);
  });

  test("is mailed where that is wanted, in the language of whoever invites", async () => {
    const owner = await tenant("mail");
    const french = { headers: { "accept-language": "fr-CA,en;q=0.5" } };
    const sent = await owner.call("POST", path("mail"), { email: "new@mail.example", role: "agent", mail: true }, french);
    assert.deepEqual([sent.status, sent.json.mailed], [201, true]);
    const letter = letters.find(({ to }) => to === "new@mail.example");
    assert.match(letter.subject, /invité/);
    assert.ok(letter.text.includes(sent.json.url));
    const failed = await owner.call("POST", path("mail"), { email: "refused@mail.example", role: "agent", mail: true });
    assert.deepEqual([failed.status, failed.json.mailed], [201, false]);
    database.prepare("UPDATE invitation SET created_at = created_at - 60000 WHERE id = ?").run(sent.json.id);
    const again = await owner.call("POST", path("mail", `/${sent.json.id}/renew`), { mail: true });
    assert.equal(again.json.mailed, true);
    const both = letters.filter(({ to }) => to === "new@mail.example");
    assert.equal(new Set(both.map(({ key }) => key)).size, 2);
    assert.ok(both[1].text.includes(again.json.url) && !both[1].text.includes(sent.json.url));
  });

  test("of the operator is listed and revoked by operators", async () => {
    const operator = await Person.operator(edge, "first@operator.example");
    const link = await Person.link(edge, "second@operator.example");
    const listed = (await operator.call("GET", "/v1/admin/invitations")).json.items;
    assert.deepEqual(listed.map(({ id, operator: is }) => [id, is]), [[link.id, true]]);
    assert.equal((await operator.call("DELETE", `/v1/admin/invitations/${link.id}`)).status, 204);
    assert.deepEqual(told(await new Person(edge).accept(link.token)), [410, "invitation_invalid"]);
  });
});

test("without a mail service, a link is not promised by mail", async () => {
  const silent = await startEdge();
  try {
    await Owner.with(silent, "acme");
    const owner = await Person.member(silent, "acme", "owner", "owner@example.com");
    const refused = await owner.call("POST", "/v1/admin/tenants/acme/invitations", { email: "x@example.com", role: "agent", mail: true });
    assert.deepEqual(told(refused), [422, "invalid_value"]);
    assert.match(refused.json.detail, /EMAIL_URL/);
    assert.deepEqual((await owner.call("GET", "/v1/admin/tenants/acme/invitations")).json.items, []);
  } finally {
    await silent.stop();
  }
});
