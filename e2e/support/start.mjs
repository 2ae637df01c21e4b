// The common setup of files with a browser. Each file is a process of its own, so there is one of each thing.
import { after, before } from "node:test";
import { launch, servePages } from "./browser.mjs";
import { startEdge } from "./edge.mjs";
import { startUpstream } from "./upstream.mjs";

/** `upstream` is there with `model` alone; `site` serves `pages`, into which tests put their own (see `servePages`). */
export let edge, browser, upstream, site;
export const pages = {};

/**
 * Starts everything before the file's first test, and stops it after the last. A `before` of the file's own would not
 * wait for this one: code that needs the edge belongs into `beforeEach` or the tests.
 *
 * - `model`: the edge asks `upstream`.
 * - `vars`: the edge's, beside these.
 */
export function start({ model = false, vars = {} } = {}) {
  before(async () => {
    site = await servePages(pages);
    if (model) upstream = await startUpstream();
    browser = await launch();
    const asks = model ? { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } : {};
    edge = await startEdge({ vars: { ...asks, ...vars } });
  });
  after(async () => {
    await browser?.close();
    site?.stop();
    upstream?.stop();
    await edge?.stop();
  });
}
