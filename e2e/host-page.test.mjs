// A host page around a bubble: its listeners may call the bubble at once, and the page does not scroll by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
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
