// Notices to owners, with a real receiver: signed, posted and recorded. The receivers of docs/notices.md run unchanged.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Webhook } from "standardwebhooks";
import { ROOT, openDatabase, startEdge } from "./support/edge.mjs";
import { Owner } from "./support/owner.mjs";
import { until } from "./support/wait.mjs";
import { listen } from "./support/listen.mjs";

/** Records all requests; the path decides the response. */
async function startReceiver() {
  const receiver = { posts: [], answers: {} };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request.setEncoding("utf8")) body += piece;
    const path = request.url;
    receiver.posts.push({ path, method: request.method, headers: request.headers, body, at: Date.now() });
    const answer = receiver.answers[path]?.shift() ?? 204;
    if (answer === "cut") return request.socket.destroy();
    // A response whose body never ends: the edge does not read it.
    if (answer === "endless") return response.writeHead(200).write("x");
    if (answer !== "silence") response.writeHead(answer, answer === 302 ? { location: "/landed" } : {}).end();
  });
  await listen(server);
  receiver.url = `http://127.0.0.1:${server.address().port}`;
  receiver.at = (path) => receiver.posts.filter((post) => post.path === path);
  receiver.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return receiver;
}

const FROM = 'Bulle "notices" <bulle@example.com>';
const TEMPLATE = { From: "{from}", To: [{ Email: "{to}" }], Subject: "{subject}", TextBody: "<{text}>", Tag: "notice", "{to}": 1 };

let receiver, edge, database;
before(async () => {
  receiver = await startReceiver();
  const vars = {
    EMAIL_URL: `${receiver.url}/mail`,
    EMAIL_FROM: FROM,
    EMAIL_HEADER: "X-Server-Token: mail key: 1",
    EMAIL_TEMPLATE: JSON.stringify(TEMPLATE),
  };
  edge = await startEdge({ vars });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  receiver?.stop();
  await edge?.stop();
});

/** The log is written a little after the answer. */
async function logged(edge, line) {
  await until(`the log has ${line}`, () => line.test(edge.log()));
}

/** An owner whose notices go to this path of the receiver and to this mail address. */
async function owner(tenant, path, email, at = edge) {
  const owner = await Owner.with(at, tenant);
  const notices = { ...(path ? { webhook: receiver.url + path } : {}), ...(email ? { email } : {}) };
  await owner.patch("", { settings: { notices } });
  return owner;
}

const outcomes = ({ deliveries }) => deliveries.map(({ channel, outcome, status, tries }) => [channel, outcome, status, tries]);

describe("a test notice", () => {
  test("comes signed to the webhook and by mail, is answered with its deliveries, and is listed", async () => {
    const me = await owner("told", "/told", "owner@example.com");
    const notice = await me.post("/notices/test");
    assert.deepEqual(outcomes(notice), [["webhook", "delivered", 204, 1], ["email", "delivered", 204, 1]]);
    assert.equal(notice.kind, "test");
    assert.ok(!("bot_id" in notice));

    const [post, ...more] = receiver.at("/told");
    assert.equal(more.length, 0);
    assert.equal(post.method, "POST");
    assert.equal(post.headers["content-type"], "application/json");
    assert.equal(post.headers["webhook-id"], notice.id);
    const { secret } = await (await me.fetch("/notices/secret")).json();
    assert.match(secret, /^whsec_[A-Za-z0-9+/]+={0,2}$/);
    const event = new Webhook(secret).verify(post.body, post.headers);
    assert.deepEqual(event, { type: "test", timestamp: new Date(notice.created_at).toISOString(), data: { tenant_id: "told" } });
    assert.throws(() => new Webhook(secret).verify(post.body.replace("told", "t0ld"), post.headers), /signature/i);
    assert.throws(() => new Webhook(secret).verify(post.body, { ...post.headers, "webhook-id": "01" }), /signature/i);

    const [mail] = receiver.at("/mail");
    assert.equal(mail.headers["x-server-token"], "mail key: 1");
    assert.equal(mail.headers["idempotency-key"], notice.id);
    assert.ok(mail.headers["user-agent"]);
    const letter = JSON.parse(mail.body);
    assert.match(letter.TextBody, /^<This is a test: notices for told arrive here\.\n\n.*>$/s);
    assert.deepEqual({ ...letter, TextBody: "" }, {
      From: FROM, To: [{ Email: "owner@example.com" }], Subject: "Bulle: a test notice", TextBody: "", Tag: "notice", "{to}": 1,
    });

    const listed = await (await me.fetch("/notices")).json();
    listed.items[0].deliveries.sort((a, b) => b.channel.localeCompare(a.channel));
    assert.deepEqual(listed, { items: [notice] });
    // No row contains the secrets.
    const rows = JSON.stringify(database.prepare("SELECT * FROM notice").all());
    assert.ok(!rows.includes("whsec") && !rows.includes("mail key"));
  });

  test("is sent at most ten times an hour; the list is newest first, a page at a time", async () => {
    const me = await owner("often", "/often");
    const ids = [];
    for (let n = 0; n < 10; n += 1) ids.unshift((await me.post("/notices/test")).id);
    const refused = await me.fetch("/notices/test", { method: "POST" });
    assert.deepEqual([refused.status, (await refused.json()).code], [429, "rate_limited"]);
    assert.ok(Number(refused.headers.get("retry-after")) > 3_000);
    assert.equal(receiver.at("/often").length, 10);
    const seen = [];
    for (let after = ""; after !== undefined; ) {
      const page = await (await me.fetch(`/notices?limit=4${after && `&after=${after}`}`)).json();
      assert.ok(page.items.length <= 4);
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    assert.deepEqual(seen, ids.sort().reverse());
    assert.equal((await me.fetch("/notices?status=active")).status, 400);
  });

  test("is kept and not sent where no address is named", async () => {
    const me = await Owner.with(edge, "silent");
    const posts = receiver.posts.length;
    const notice = await me.post("/notices/test");
    assert.deepEqual(notice.deliveries, []);
    assert.deepEqual((await (await me.fetch("/notices")).json()).items, [notice]);
    assert.equal(receiver.posts.length, posts);
  });
});

describe("a receiver that fails", () => {
  const cases = [
    ["with 500 until it does not", [500, 503, 200], ["webhook", "delivered", 200, 3]],
    ["with 500 for good", [500, 500, 500, 200], ["webhook", "refused", 500, 3]],
    ["with 404", [404, 200], ["webhook", "refused", 404, 1]],
    ["by a redirect, which is not followed", [302, 200], ["webhook", "redirected", 302, 1]],
    ["by hanging up", ["cut", "cut", "cut"], ["webhook", "unreachable", undefined, 3]],
    ["by silence", ["silence", "silence", "silence"], ["webhook", "timed_out", undefined, 3]],
    ["to end its answer", ["endless"], ["webhook", "delivered", 200, 1]],
  ];
  for (const [index, [how, answers, expected]] of cases.entries()) {
    test(how, async () => {
      const path = `/fails-${index}`;
      receiver.answers[path] = [...answers];
      const me = await owner(`fails-${index}`, path, "owner@example.com");
      const { secret } = await (await me.fetch("/notices/secret")).json();
      const started = Date.now();
      const notice = await me.post("/notices/test");
      assert.ok(Date.now() - started < 25_000, "it is waited a bounded time");
      // The mail is sent nevertheless.
      assert.deepEqual(outcomes(notice), [expected, ["email", "delivered", 204, 1]]);
      const posts = receiver.at(path);
      assert.equal(posts.length, expected[3]);
      assert.equal(receiver.at("/landed").length, 0);
      for (const post of posts) {
        assert.equal(post.headers["webhook-id"], notice.id);
        new Webhook(secret).verify(post.body, post.headers);
      }
      for (const [a, b] of posts.slice(1).map((post, n) => [posts[n], post])) assert.ok(b.at - a.at >= 450, "it waits between tries");
      const row = database.prepare("SELECT deliveries FROM notice WHERE id = ?").get(notice.id);
      assert.equal(JSON.parse(row.deliveries).length, 2);
    });
  }

  test("whose host does not exist is recorded, and the log names no address", async () => {
    const me = await Owner.with(edge, "nowhere");
    await me.patch("", { settings: { notices: { webhook: "https://nowhere.invalid/secret-path" } } });
    assert.equal((await me.post("/notices/test")).deliveries[0].outcome, "unreachable");
    await logged(edge, /"notice":"the notice test about \w+ was not delivered by webhook: unreachable, tries: 3"/);
    assert.ok(!edge.log().includes("secret-path") && !edge.log().includes("mail key"));
  });

  test("of mail is recorded", async () => {
    receiver.answers["/mail"] = [422];
    const me = await owner("mailless", "/mailless", "owner@example.com");
    assert.deepEqual(outcomes(await me.post("/notices/test")), [["webhook", "delivered", 204, 1], ["email", "refused", 422, 1]]);
  });
});

test("a deployment without a mail service says so", async () => {
  const bare = await startEdge();
  try {
    const me = await owner("bare", "/bare", "owner@example.com", bare);
    assert.deepEqual(outcomes(await me.post("/notices/test")), [["webhook", "delivered", 204, 1], ["email", "not_configured", undefined, 0]]);
    await logged(bare, /set EMAIL_URL and EMAIL_FROM/);
  } finally {
    await bare.stop();
  }
});

test("notices are their owner's alone, and each call needs its scope", async () => {
  const [mine, theirs] = [await owner("mine", "/mine"), await owner("theirs", "/theirs")];
  await theirs.post("/notices/test");
  const key = async (of, ...scopes) => (await of.post("/keys", { name: "Key", scopes })).key;
  const all = await key(mine, "notices:read", "notices:write");
  const secrets = [];
  for (const [method, path, scope] of [["GET", "", "notices:read"], ["POST", "/test", "notices:write"], ["GET", "/secret", "notices:write"]]) {
    const status = async (of, key) => (await of.fetch(`/notices${path}`, { method, key })).status;
    const other = scope === "notices:read" ? "notices:write" : "notices:read";
    assert.equal(await status(mine, all), 200);
    assert.equal(await status(mine, await key(mine, scope)), 200);
    assert.equal(await status(mine, await key(mine, other, "tenant:read", "tenant:write")), 403);
    assert.equal(await status(mine, null), 401);
    const nobody = new Owner(edge, "nobody");
    const [hidden, absent] = await Promise.all([theirs, nobody].map(async (of) => (await of.fetch(`/notices${path}`, { method, key: all })).json()));
    assert.deepEqual({ ...hidden, request_id: "" }, { ...absent, request_id: "" });
    assert.equal(await status(theirs, all), 404);
    assert.equal(await status(nobody, edge.adminKey), 404);
    if (path === "/secret") for (const of of [mine, theirs]) secrets.push((await (await of.fetch("/notices/secret")).json()).secret);
  }
  assert.notEqual(secrets[0], secrets[1]);
  const listed = await (await mine.fetch("/notices", { key: all })).json();
  assert.equal(listed.items.length, 2);
  assert.equal(receiver.at("/theirs").length, 1);
});

test("the receivers of docs/notices.md know a genuine notice", async () => {
  const text = await readFile(`${ROOT}/docs/notices.md`, "utf8");
  const examples = [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
  assert.equal(examples.length, 2);
  await mkdir(`${ROOT}/e2e/output`, { recursive: true });
  const folder = await mkdtemp(`${ROOT}/e2e/output/notices-`);
  try {
    for (const [index, code] of examples.entries()) {
      const me = await Owner.with(edge, `documented-${index}`);
      const { secret } = await (await me.fetch("/notices/secret")).json();
      const probe = createServer().listen(0, "127.0.0.1");
      await once(probe, "listening");
      const { port } = probe.address();
      probe.close();
      await once(probe, "close");
      await writeFile(`${folder}/${index}.mjs`, code);
      const child = spawn(process.execPath, [`${folder}/${index}.mjs`], { env: { ...process.env, PORT: port, BULLE_NOTICE_SECRET: secret } });
      let log = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
      try {
        const url = `http://127.0.0.1:${port}/`;
        const forged = { "webhook-id": "01", "webhook-timestamp": String(Math.floor(Date.now() / 1000)), "webhook-signature": "v1,AAAA" };
        const forge = () => fetch(url, { method: "POST", body: "{}", headers: forged }).catch(() => undefined);
        const answer = await until("it listens", forge);
        assert.equal(answer?.status, 401, log);
        await me.patch("", { settings: { notices: { webhook: url } } });
        assert.deepEqual(outcomes(await me.post("/notices/test")), [["webhook", "delivered", 204, 1]], log);
        assert.match(log, /test/);
      } finally {
        child.kill();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
