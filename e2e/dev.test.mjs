// `cargo xtask dev` as a developer runs it: wrangler, the local database with the examples, and Ctrl-C. Every other file
// starts its edge through the library below wrangler (see support/edges.mjs).
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { Bubble, launch, watch } from "./support/browser.mjs";
import { Visitor, assemble, text } from "./support/client.mjs";
import { startDev } from "./support/dev.mjs";
import { stateFolder } from "./support/edge.mjs";

test("the examples are served with a bubble that answers, and a second start keeps what was said", async () => {
  const state = await stateFolder();
  const browser = await launch();
  let edge;
  try {
    edge = await startDev({ state });
    const { url, site, port } = edge;
    const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    const seen = watch(page);
    await page.goto(`${site}/plain/`);
    const bubble = await new Bubble(page, "en").open();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    assert.deepEqual(seen.errors, []);
    const me = await new Visitor(edge, { site: "plain-demo", locale: "en" }).open();
    assert.match(text(assemble(await me.ask("Do you deliver?"))), /cargo bike/);
    await edge.stop();
    for (const address of [url, site]) await assert.rejects(fetch(address), undefined, `${address} still answers`);

    edge = await startDev({ state, port });
    const { items, ...refused } = await me.history();
    assert.deepEqual(items?.map(({ role }) => role), ["user", "assistant"], JSON.stringify(refused));
    await edge.stop();
  } finally {
    await edge?.stop();
    await browser.close();
    await rm(state, { recursive: true, force: true });
  }
});
