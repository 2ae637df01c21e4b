// Under which addresses the edge is reached: what a client writes into `Host` and `Origin` makes no page the edge's own and
// stands in nothing that others read.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Owner } from "./support/owner.mjs";

const PUBLIC = "https://chat.example.com";
let unnamed, named, owners;
before(async () => {
  [unnamed, named] = await Promise.all([startEdge(), startEdge({ vars: { PUBLIC_URL: `${PUBLIC}/, https://other.example.com` } })]);
  // A site whose pages are elsewhere: only the hosted page is let in from the edge's own origin.
  owners = new Map();
  for (const edge of [unnamed, named]) owners.set(edge, await Owner.with(edge, "own", {}, ["https://shop.example.org"]));
});
after(() => Promise.all([unnamed?.stop(), named?.stop()]));

/** A request with a `Host` of its own, which fetch does not send. */
function ask(edge, path, { method = "GET", host, origin, body, key } = {}) {
  const headers = {
    ...(host ? { host } : {}),
    ...(origin ? { origin } : {}),
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...(body ? { "content-type": "application/json" } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = request(edge.url + path, { method, headers }, async (response) => {
      let text = "";
      for await (const piece of response.setEncoding("utf8")) text += piece;
      resolve({ status: response.statusCode, text });
    });
    sent.on("error", reject).end(body && JSON.stringify(body));
  });
}

const session = (edge, host, origin) =>
  ask(edge, "/v1/sessions", { method: "POST", host, origin, body: { site: owners.get(edge).site.key } });

const EVIL = [
  ["evil.example", "http://evil.example"],
  ["evil.example", "https://evil.example"],
  ["evil.example:8787", "http://evil.example:8787"],
  ["localhost.evil.example", "http://localhost.evil.example"],
  ["10.0.0.1", "http://10.0.0.1"],
];

describe("a page is the edge's own", () => {
  test("not because client and page say the same name", async () => {
    for (const edge of [unnamed, named]) {
      for (const [host, origin] of EVIL) {
        const { status, text } = await session(edge, host, origin);
        assert.equal(status, 403, `${host} ${text}`);
        assert.equal(JSON.parse(text).code, "origin_not_allowed");
      }
    }
  });

  test("on this machine, where the operator has named no address", async () => {
    const { host } = new URL(unnamed.url);
    assert.equal((await session(unnamed, host, unnamed.url)).status, 201);
    const local = host.replace("localhost", "127.0.0.1");
    assert.equal((await session(unnamed, local, `http://${local}`)).status, 201);
    assert.equal((await session(unnamed, host, `http://${local}`)).status, 403);
    assert.equal((await session(unnamed, host, "http://localhost:1")).status, 403);
    assert.equal((await session(unnamed, host, "https://evil.example")).status, 403);
  });

  test("under the addresses that the operator has named, and no other", async () => {
    const { host } = new URL(named.url);
    for (const origin of [PUBLIC, "https://other.example.com"]) {
      assert.equal((await session(named, new URL(origin).host, origin)).status, 201);
      // Behind a proxy that passes on the name of this machine.
      assert.equal((await session(named, host, origin)).status, 201);
    }
    assert.equal((await session(named, host, named.url)).status, 403);
    assert.equal((await session(named, "chat.example.com", "http://chat.example.com")).status, 403);
  });
});

test("scripts and snippets name an address that is ours", async () => {
  for (const [edge, address] of [[unnamed, unnamed.url], [named, PUBLIC]]) {
    const { site, key } = owners.get(edge);
    const paths = [`/s/${site.key}.js`, `/s/${site.key}.json`, `/v1/admin/tenants/own/sites/${site.key}/snippets`];
    for (const path of paths) {
      const own = await ask(edge, path, { key });
      assert.equal(own.status, 200, own.text);
      assert.ok(own.text.includes(address), `${path}\n${own.text.slice(0, 500)}`);
      const foreign = await ask(edge, path, { host: "evil.example", key });
      assert.ok(!foreign.text.includes("evil.example"), foreign.text);
      if (edge === named) assert.ok(foreign.text.includes(PUBLIC), foreign.text);
      else assert.match(foreign.text, /PUBLIC_URL/);
    }
  }
});

test("an address that is none is told by the health check", async () => {
  const edge = await startEdge({ vars: { PUBLIC_URL: "chat.example.com" } });
  try {
    const { status, text } = await ask(edge, "/health");
    assert.equal(status, 503);
    assert.match(text, /PUBLIC_URL: \\"chat\.example\.com\\" is no address/);
  } finally {
    await edge.stop();
  }
});
