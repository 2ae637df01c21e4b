// The templates that the edge fills in for a site of an owner, and pages with them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { Bubble, launch, servePages, watch } from "./browser.mjs";
import { startEdge } from "./edge.mjs";
import { GENEROUS, Owner } from "./owner.mjs";

/** `owner` is of `owner.site`; `folder` is a temporary one. */
export let edge, owner, folder;
/** Pages by path, and snippets by name. */
export const pages = {};
export const snippets = {};
let browser, server;

/** Starts everything before the file's first test, and stops it after the last. */
export function start() {
  before(async () => {
    browser = await launch();
    edge = await startEdge();
    server = await servePages(pages);
    owner = await Owner.with(edge, "builder", { limits: GENEROUS, locale: "en" }, [server.url]);
    const { items } = await (await owner.fetch(`/sites/${owner.site.key}/snippets`)).json();
    for (const item of items) snippets[item.name] = item;
    folder = await mkdtemp(join(tmpdir(), "bulle-snippets-"));
  });
  after(async () => {
    await browser?.close();
    await edge?.stop();
    server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
}

/** Opens a page in a context of its own. */
export async function visit(path) {
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const seen = watch(page);
  await page.goto(server.url + path);
  return { context, page, seen, bubble: new Bubble(page, "en") };
}
