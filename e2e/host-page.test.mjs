// A host page around a bubble: its listeners may call the bubble at once, the page does not scroll by itself, and an optimiser
// may run the script of the tag without the tag.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PANEL } from "./support/fixture.mjs";
import { host, tag } from "./support/host-page.mjs";
import { edge, start } from "./support/start.mjs";

start();

test("a listener may call the bubble at once", async () => {
  const { page, bubble, seen } = await host(tag());
  await page.evaluate(() => {
    let asked = 0;
    const next = () => ++asked === 1 && Bulle.push(["ask", "How much is a baguette?"]);
    (window.Bulle ||= []).push(["on", "reply", next]);
  });
  await bubble.open();
  await bubble.ask("Do you deliver?");
  await bubble.log.getByText("cargo bike").first().waitFor();
  await bubble.log.getByText("€1.30").first().waitFor();
  assert.deepEqual(seen.errors, []);
});

test("the reason for a rating comes into sight in the list, and the page around an element stays where it is", async () => {
  const { page, seen } = await host(
    `<style>bulle-chat{height:500px}</style><bulle-chat site="plain-demo"></bulle-chat><div style="height:3000px"></div><script type="module" src="${edge.url}/element.js"></script>`,
    { viewport: { width: 700, height: 420 } },
  );
  const panel = page.getByRole("region", { name: "Boulangerie Nord" });
  const log = panel.getByRole("log");
  for (const [n, question] of ["Do you deliver?", "How much is a baguette?"].entries()) {
    await panel.getByRole("textbox").fill(question);
    await panel.getByRole("textbox").press("Enter");
    await panel.getByRole("button", { name: "Bad answer" }).nth(n).waitFor();
  }
  // The end of the list is below the window's lower edge; the rating buttons are just above it.
  const thumb = panel.getByRole("button", { name: "Bad answer" }).last();
  await thumb.evaluate((thumb) => scrollBy(0, thumb.getBoundingClientRect().bottom - innerHeight + 4));
  const was = await page.evaluate(() => scrollY);
  await thumb.evaluate((thumb) => thumb.click());
  const why = panel.getByLabel(PANEL.why);
  await why.waitFor();
  assert.equal(await page.evaluate(() => scrollY), was);
  const places = await why.evaluate((field) => {
    const bottom = (element) => Math.round(element.getBoundingClientRect().bottom);
    return { box: bottom(field.closest(".comment")), log: bottom(field.closest("[role=log]")), window: innerHeight };
  });
  assert.ok(places.box > places.window, `it would have been a reason to scroll: ${JSON.stringify(places)}`);
  assert.ok(places.box <= places.log + 1, JSON.stringify(places));
  assert.ok(await log.isVisible());
  assert.deepEqual(seen.errors, []);
});

describe("an optimiser runs the script", () => {
  const JWT = "a.b.c";
  const attributes = `data-identity="${JWT}" data-position="left" data-scheme="dark" data-greeting="Bonsoir"`;
  const src = () => `${edge.url}/s/plain-demo.js`;
  const fetched = async () => (await fetch(src())).text();
  for (const [name, tags, run] of [
    // Rocket Loader gives the tag another type, and has the browser run its text.
    ["by eval, and keeps the tag", () => `<script type="0123abcd-text/javascript" src="${src()}" ${attributes}></script>`, async (page) => page.evaluate(await fetched())],
    ["as a module", () => `<script src="${src()}" type="text/plain" ${attributes}></script>`, (page) => page.evaluate((src) => import(src), src())],
    ["by eval, and keeps the tag with its address elsewhere", () => `<script type="text/plain" data-delayed-src="${src()}" ${attributes}></script>`, async (page) => page.evaluate(await fetched())],
    // As consent managers and plugins that delay scripts do it.
    ["from a copy without attributes", () => `<script type="text/plain" data-src="${src()}" ${attributes}></script>`, (page) => page.evaluate((src) => document.head.append(Object.assign(document.createElement("script"), { src })), src())],
  ]) {
    test(`${name}: the attributes count`, async () => {
      const { page, bubble } = await host(tags());
      await run(page);
      const session = page.waitForRequest((request) => request.url().endsWith("/v1/sessions"));
      await bubble.launcher.click();
      // A visitor whom the page has signed in is not silently anonymous.
      assert.equal((await session).postDataJSON().identity, JWT);
      const { x } = await page.locator("[data-bulle] .launcher").boundingBox();
      assert.ok(x < 100, `on the left: ${x}`);
      assert.equal(await bubble.dialog.evaluate((panel) => getComputedStyle(panel).colorScheme), "dark");
    });
  }

  test("twice, after the page has signed the visitor out: the first tag does not count again", async () => {
    const { page, bubble } = await host(`<script async src="${src()}" data-identity="${JWT}"></script>`);
    await bubble.launcher.waitFor();
    await page.evaluate(() => Bulle["plain-demo"].identify(null));
    const session = page.waitForRequest((request) => request.url().endsWith("/v1/sessions"));
    await bubble.launcher.click();
    assert.equal((await session).postDataJSON().identity, undefined);
  });
});
