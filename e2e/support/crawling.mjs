// An edge that fetches from web servers of the tests.
import { after, before } from "node:test";
import { openDatabase, startEdge } from "./edge.mjs";
import { FAST } from "./knowledge.mjs";
import { page, startWeb } from "./web.mjs";

/** `other` is a second server, which has a secret. */
export let edge, database, web, other;

/** Starts everything before the file's first test, and stops it after the last. The edge fetches from `other` only with `both`. */
export function start({ both = false } = {}) {
  before(async () => {
    [web, other] = [await startWeb(), await startWeb()];
    other.pages["/"] = page("Secret", "The secret is swordfish.");
    edge = await startEdge({ vars: { FETCH_LOCAL: both ? `${web.host},${other.host}` : web.host, ...FAST } });
    database = openDatabase(edge);
  });
  after(async () => {
    database?.close();
    await edge?.stop();
    web?.stop();
    other?.stop();
  });
}
