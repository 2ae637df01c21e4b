// The OpenAPI document against real workerd, by Schemathesis: thousands of requests generated from the document, valid
// and invalid. No 5xx; no status, type or body that the document does not declare; no protected route that opens
// without a key.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Visitor } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";

let edge, owner, me, erased, reply, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulle-openapi-"));
  await cp(`${ROOT}/e2e/openapi`, folder, { recursive: true });
  edge = await startEdge();
  const form = { title: { fr: "Qui ?" }, fields: [{ name: "who", label: { fr: "Qui" } }] };
  owner = await Owner.with(edge, "documented", { limits: GENEROUS, features: { attachments: true }, form });
  [me, erased] = await Promise.all([1, 2].map(() => new Visitor(edge, { site: owner.site.key }).open()));
  reply = (await me.ask("Bonjour")).at(-1).data.reply_id;
});
after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  await edge?.stop();
});

async function schemathesis(token, known, ...selection) {
  const args = ["--config-file", "schemathesis.toml", "run", `${ROOT}/edge/worker/openapi.json`, "--url", edge.url, "--no-color", ...selection];
  const env = { ...process.env, BULLE_TOKEN: token, BULLE_ERASED: erased.token, BULLE_ORIGIN: edge.site, BULLE_KNOWN: JSON.stringify(known) };
  const run = promisify(execFile)(process.env.SCHEMATHESIS_PATH, args, { cwd: folder, env, timeout: 240_000, maxBuffer: 1 << 26 });
  const { stdout } = await run.catch((error) => assert.fail(error.stdout || error.message));
  // A run in which every request is refused proves nothing.
  assert.match(stdout, /Test cases:\n +(\d{3,}) generated/, stdout);
  assert.doesNotMatch(stdout, /Missing authentication|Unresolvable references/, stdout);
}

test("the visitors' routes keep the contract", async () => {
  const script = await (await fetch(`${edge.url}/s/${owner.site.key}.js`)).text();
  const [, stem] = script.match(/\/a\/(bulle-[0-9a-f]+\.)/);
  const known = {
    "": { id: me.conversationId, key: owner.site.key },
    "/s/{file}": { file: `${owner.site.key}.js` },
    "/a/{file}": { file: `${stem}js` },
  };
  await schemathesis(me.token, known, "--exclude-path-regex", "^/v1/admin");
});

test("the owners' routes keep the contract", async () => {
  const key = await owner.post("/keys", { name: "Key", scopes: ["bots:read"] });
  const source = await owner.post("/bots/bot/sources", { kind: "text", text: "Something that the bot knows." });
  const known = { "": { tenant: "documented", bot: "bot", key: owner.site.key, id: key.id, reply_id: reply, source: source.id } };
  await schemathesis(edge.adminKey, known, "--include-path-regex", "^/v1/admin");
});
