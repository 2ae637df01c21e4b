// An owner who gives a bot sources and reads the sources, chunks and answers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Visitor, assemble, text } from "./client.mjs";
import { ROOT } from "./edge.mjs";
import { GENEROUS, Owner } from "./owner.mjs";
import { until } from "./wait.mjs";

/** Variables of an edge that fetches without pauses. */
export const FAST = { CRAWLER_PAUSE_MS: "1", CRAWLER_RETRY_MS: "50", CRAWLER_TIMEOUT_MS: "2000" };

let count = 0;
/** A tenant of its own, with a bot that answers from its documents. */
export async function newOwner(at) {
  const owner = await Owner.with(at, `know-${(count += 1)}-${Date.now()}`, { locale: "en", limits: GENEROUS });
  owner.at = "/bots/bot/sources";
  return owner;
}

/** Uploads a file; the raw response. */
export const upload = (owner, name, body, { type = "", query = "", ...more } = {}) =>
  owner.fetch(`/bots/bot/files?name=${encodeURIComponent(name)}${query}`, {
    method: "POST", body: typeof body === "string" ? Buffer.from(body) : body, ...more, headers: { "content-type": type, ...more.headers },
  });

/** Uploads a file that is accepted: its source. */
export async function uploaded(owner, name, body, options) {
  const response = await upload(owner, name, body, options);
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

export const show = async (owner, id) => (await owner.fetch(`${owner.at}/${id}`)).json();

/** Waits until a source is ready or has failed, and has no pending work. */
export async function settled(owner, id) {
  let source;
  const why = () => `it settled: ${JSON.stringify(source)}\n${owner.edge.log().slice(-3000)}`;
  await until(why, async () => ["ready", "failed"].includes((source = await show(owner, id)).status), { deadline: 300_000 });
  return source;
}

/** The answer to a visitor's question, and the addresses of its sources. */
export async function ask(owner, question) {
  const visitor = await new Visitor(owner.edge, { site: owner.site.key, locale: "en" }).open();
  const list = await visitor.ask(question);
  assert.equal(list.at(-1).event, "done", JSON.stringify(list.at(-1)));
  const sources = list.find(({ event }) => event === "sources")?.data;
  return { said: text(assemble(list)), sources: sources?.sources ?? sources?.items ?? sources ?? [] };
}

/** Rows of a tenant. */
export const rows = (owner, table, db, where = "1") =>
  db.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ? AND ${where}`).get(owner.tenant).n;

/** The scope with which every word of a tenant's bot begins in the index, see edge/core/src/search. */
const scope = (owner) => [...createHash("sha256").update(`${owner.tenant}/bot`).digest()].slice(0, 12)
  .map((byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31]).join("");
/** A word of a tenant's bot in its form in the index: keys have five letters. */
const key = (owner, word) => scope(owner) + word.slice(0, 5);
/** The number of a tenant's chunks that have a word in the index; of all its chunks when the word is empty. */
export const found = (owner, word, db) => db.prepare("SELECT count(*) AS n FROM chunk_fts WHERE chunk_fts MATCH ?").get(key(owner, word)).n;
/** The number of chunks with a word that can be quoted, at most ten. */
export const answering = (owner, word, db) =>
  db.prepare(readFileSync(`${ROOT}/edge/worker/src/repositories/search.sql`, "utf8")).all(owner.tenant, "bot", JSON.stringify([key(owner, word)]), 10, 20_000, 10).length;

/** Keys of the objects of a tenant in the local R2. */
export function objects(owner) {
  const folder = `${owner.edge.state}/v3/r2/miniflare-R2BucketObject`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite").flatMap((name) => {
    const bucket = new DatabaseSync(`${folder}/${name}`, { readOnly: true });
    try {
      return bucket.prepare("SELECT key FROM _mf_objects WHERE key LIKE ?").all(`${owner.tenant}/%`).map(({ key }) => key);
    } finally {
      bucket.close();
    }
  });
}
