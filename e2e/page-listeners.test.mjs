// The bubble in pages that watch their whole window: smooth-scroll libraries and scroll locks, focus traps of modals, modal
// dialogs, and styles of the body that carry fixed elements along.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { build } from "esbuild";
import { picture } from "./support/browser.mjs";
import { FRAMEWORKS, installFrameworks } from "./support/frameworks.mjs";
import { ANSWER, QUESTION, call, host, tag, talk, talkIn } from "./support/host-page.mjs";
import { DIALOGS, TRAPS, inline, isolated, modal } from "./support/modals.mjs";
import { start } from "./support/start.mjs";
import { gate } from "./support/wait.mjs";

start();

before(installFrameworks);

/** A script of a page that uses libraries of e2e/frameworks. */
async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: FRAMEWORKS, loader: "jsx" },
    jsx: "automatic",
    bundle: true,
    write: false,
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

describe("what takes the wheel of the page", () => {
  const LONG = '<p style="height:4000px">A long page.</p>';
  const lock = "(event) => event.preventDefault()";
  for (const [name, script] of [
    ["lenis", () => bundle('import Lenis from "lenis"; window.lenis = new Lenis({ autoRaf: true });')],
    ["a listener of the window", () => `addEventListener("wheel", ${lock}, { passive: false })`],
    ["a listener of the window that is called first", () => `addEventListener("wheel", ${lock}, { passive: false, capture: true })`],
    ["a listener of the document that is called first", () => `document.addEventListener("wheel", ${lock}, { passive: false, capture: true })`],
    ["a scroll that is replaced", () => 'addEventListener("wheel", (event) => { event.preventDefault(); scrollBy(0, event.deltaY); }, { passive: false })'],
  ]) {
    test(`${name} leaves it to the list`, async () => {
      const { page, bubble, seen } = await host(`${LONG}${inline(await script())}${tag()}`, { viewport: { width: 900, height: 460 } });
      await talk({ bubble });
      await bubble.ask("How much is a baguette?");
      await bubble.log.getByText("€1.30").first().waitFor();
      await bubble.settled();
      const box = await bubble.log.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      const top = () => bubble.log.evaluate((log) => log.scrollTop);
      const was = await top();
      assert.ok(was > 100, `there is something to scroll: ${was}`);
      await page.mouse.wheel(0, -80);
      await page.waitForFunction((was) => document.querySelector("[data-bulle]").shadowRoot.querySelector("[role=log]").scrollTop < was - 20, was);
      assert.equal(await page.evaluate(() => scrollY), 0);
      assert.deepEqual(seen.errors, []);
      // The page goes on scrolling in its own way.
      if (name !== "lenis" && name !== "a scroll that is replaced") return;
      await page.mouse.move(200, 200);
      await page.mouse.wheel(0, 300);
      await page.waitForFunction(() => scrollY > 100);
    });
  }

  test("a scroll lock leaves touches to the list", async () => {
    const script = `for (const type of ["touchstart", "touchmove"]) document.addEventListener(type, ${lock}, { passive: false });`;
    const { page, bubble } = await host(`${LONG}${inline(script)}${tag()}`, { viewport: { width: 900, height: 460 }, hasTouch: true });
    await talk({ bubble });
    await bubble.ask("How much is a baguette?");
    await bubble.log.getByText("€1.30").first().waitFor();
    await bubble.settled();
    const box = await bubble.log.boundingBox();
    const was = await bubble.log.evaluate((log) => log.scrollTop);
    const client = await page.context().newCDPSession(page);
    const touch = (type, ...touchPoints) => client.send("Input.dispatchTouchEvent", { type, touchPoints });
    const x = box.x + box.width / 2;
    await touch("touchStart", { x, y: box.y + 40 });
    for (let y = 50; y <= 150; y += 10) await touch("touchMove", { x, y: box.y + y });
    await touch("touchEnd");
    await page.waitForFunction((was) => document.querySelector("[data-bulle]").shadowRoot.querySelector("[role=log]").scrollTop < was - 20, was);
  });
});

const LIBRARIES = {
  "focus-trap": `
    import { createFocusTrap } from "focus-trap";
    window.modal.trap = createFocusTrap("#modal", { escapeDeactivates: false });
    const { open } = window.modal;
    window.modal.open = () => { open(); window.modal.trap.activate(); };`,
};

describe("while a modal of the page keeps the focus", () => {
  /** The visitor presses the field and asks; the modal stays. */
  async function write({ page, bubble, seen }) {
    await isolated(page);
    await bubble.input.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await bubble.log.getByText(ANSWER).first().waitFor();
    await page.locator("#modal").waitFor();
    // And back to it.
    await page.locator("#mail").click();
    await page.keyboard.type("ada@b.test");
    assert.equal(await page.locator("#mail").inputValue(), "ada@b.test");
    assert.equal(await bubble.input.inputValue(), "");
    assert.deepEqual(seen.errors, []);
  }
  const traps = [...Object.entries(TRAPS).map(([name, trap]) => [name, trap, ""]), ...Object.entries(LIBRARIES).map(([name, script]) => [name, "", script])];
  for (const [name, trap, script] of traps) {
    const body = async () => `${modal(trap)}${script && inline(await bundle(script))}${tag()}`;
    test(`${name}: an open panel can be written in`, async () => {
      const visitor = await host(await body());
      await visitor.bubble.open();
      await visitor.page.evaluate(() => modal.open());
      await write(visitor);
    });
    test(`${name}: the bubble can be opened`, async () => {
      const visitor = await host(await body());
      const { page, bubble } = visitor;
      await bubble.launcher.waitFor();
      await page.evaluate(() => modal.open());
      await bubble.launcher.hover();
      await isolated(page);
      await bubble.open();
      await write(visitor);
    });
  }

  for (const [name, trap, script] of traps) {
    test(`${name}: the first click on the launcher opens the bubble, before its code is there`, async () => {
      const visitor = await host(`${modal(trap)}${script && inline(await bundle(script))}${tag()}`);
      const { page, bubble } = visitor;
      const { opened, open } = gate();
      await page.route("**/a/*.js", async (route) => {
        await opened;
        await route.continue();
      });
      await bubble.launcher.waitFor();
      await page.evaluate(() => modal.open());
      await bubble.launcher.click();
      await bubble.dialog.waitFor();
      assert.equal(await bubble.dialog.getByRole("log").count(), 0);
      open();
      await bubble.input.waitFor();
      // The page has seen the press as one outside of its modal.
      if (name === "a press outside that closes it") await page.evaluate(() => modal.open());
      await write(visitor);
    });
  }

  test("focus-trap: a tap, which it prevents, brings the code, and the next one opens the bubble", async () => {
    const visitor = await host(`${modal("")}${inline(await bundle(LIBRARIES["focus-trap"]))}${tag()}`, { hasTouch: true });
    const { page, bubble } = visitor;
    await bubble.launcher.waitFor();
    await page.evaluate(() => modal.open());
    await bubble.launcher.tap();
    await isolated(page);
    await bubble.launcher.tap();
    await bubble.input.waitFor();
    await write(visitor);
  });

  test("Radix UI: an open panel can be written in, scrolled and closed with Escape, and the modal stays", async () => {
    const script = await bundle(`
      import * as Dialog from "@radix-ui/react-dialog";
      import { createRoot } from "react-dom/client";
      createRoot(document.querySelector("#app")).render(
        <Dialog.Root><Dialog.Trigger>Open</Dialog.Trigger><Dialog.Portal><Dialog.Overlay style={{ position: "fixed", inset: 0, background: "#0003" }} />
          <Dialog.Content id="modal" aria-describedby={undefined} style={{ position: "fixed", top: 60, left: 60, padding: 20, background: "#eee" }}>
            <Dialog.Title>Newsletter</Dialog.Title><input id="mail" /></Dialog.Content></Dialog.Portal></Dialog.Root>);`);
    const visitor = await host(`<div id="app"></div>${inline(script)}${tag()}`);
    const { page, bubble } = visitor;
    await bubble.open();
    await page.evaluate(() => document.querySelector("#app button").click());
    await page.locator("#modal").waitFor();
    await write(visitor);
    await picture(page, "page-modal-radix");
    await bubble.input.press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    await page.locator("#modal").waitFor();
  });

  test("the page does not learn of presses in the bubble, and gets its own", async () => {
    const script = 'window.heard = []; for (const type of ["pointerdown", "mousedown", "click", "focusin", "focusout", "wheel", "keydown"]) addEventListener(type, (event) => heard.push(`${type} ${event.target.id || event.target.localName}`));';
    const { page, bubble } = await host(`<input id="own">${inline(script)}${tag()}`);
    await page.locator("#own").click();
    await bubble.open();
    await isolated(page);
    await page.evaluate(() => (heard.length = 0));
    await bubble.input.click();
    await page.keyboard.type("Hi");
    await page.mouse.wheel(0, 40);
    await bubble.input.press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    assert.deepEqual(await page.evaluate(() => heard), []);
    await page.locator("#own").click();
    assert.deepEqual(await page.evaluate(() => heard), ["pointerdown own", "mousedown own", "focusin own", "click own"]);
  });
});

describe("a modal dialog of the page", () => {
  const page = () => host(`${DIALOGS}${tag()}`);
  const place = ({ page }) => page.locator("[data-bulle]").evaluate((host) => host.parentElement.id || host.parentElement.localName);
  const at = async ({ page }) => {
    const box = await page.locator("[data-bulle] .launcher").boundingBox();
    const { width, height } = page.viewportSize();
    return [width - box.x - box.width, height - box.y - box.height].map(Math.round);
  };

  test("takes the bubble along, which can be written in and stays in its corner", async () => {
    const visitor = await page();
    const { bubble, seen } = visitor;
    await talk(visitor);
    await visitor.page.evaluate(() => document.querySelector("#modal").showModal());
    await visitor.page.locator("#modal > [data-bulle]").waitFor({ state: "attached" });
    await bubble.input.click();
    await visitor.page.keyboard.type("How much is a baguette?");
    await visitor.page.keyboard.press("Enter");
    await bubble.log.getByText("€1.30").first().waitFor();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(await at(visitor), [20, 20]);
    await picture(visitor.page, "page-dialog");
    // Escape closes the panel, and the next one the dialog.
    await bubble.input.press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    assert.ok(await visitor.page.locator("#modal").isVisible());
    await bubble.launcher.click();
    await bubble.input.waitFor();
    assert.ok(await visitor.page.locator("#modal").isVisible());
    await visitor.page.locator("#close").click();
    await visitor.page.locator("html > [data-bulle]").waitFor({ state: "attached" });
    assert.equal(await visitor.page.locator("[data-bulle]").getAttribute("popover"), null);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(await at(visitor), [20, 20]);
    assert.deepEqual(seen.errors, []);
  });

  for (const [when, body, act] of [
    // Then, any click or focus in the page tells of the dialog.
    ["before the bubble was there", () => `${DIALOGS}${inline("document.querySelector('#modal').showModal()")}${tag()}`, (page) => page.locator("#mail").click()],
    ["before the visitor was interested", () => `${DIALOGS}${tag()}`, (page) => page.evaluate(() => document.querySelector("#modal").showModal())],
  ]) {
    test(`may have been opened ${when}: the launcher comes along, and of the code only what that takes`, async () => {
      const visitor = await host(body());
      await visitor.page.locator("[data-bulle] .launcher").waitFor();
      await act(visitor.page);
      const { page, bubble, seen } = visitor;
      await page.locator("#modal > [data-bulle]").waitFor({ state: "attached" });
      await bubble.launcher.waitFor();
      assert.deepEqual(await at(visitor), [20, 20]);
      assert.deepEqual(seen.requests.filter((line) => /\.(wasm|css)$/.test(line)), []);
      await picture(page, `page-dialog-${when.split(" ").at(-1)}`);
      await talk(visitor);
      assert.ok(await page.locator("#modal").isVisible());
      await page.locator("#close").click();
      await page.locator("html > [data-bulle]").waitFor({ state: "attached" });
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.deepEqual(await at(visitor), [20, 20]);
      assert.deepEqual(seen.errors, []);
    });
  }

  test("may be closed before the visitor is interested, in a page whose conversation is in a frame", async () => {
    const { page, bubble, frame, seen } = await host(`${DIALOGS}${tag("async data-frame")}`);
    await bubble.launcher.waitFor();
    await page.evaluate(() => document.querySelector("#modal").showModal());
    await page.locator("#modal > [data-bulle]").waitFor({ state: "attached" });
    assert.equal(await page.locator("[data-bulle] iframe").count(), 0);
    await page.locator("#close").click();
    await page.locator("html > [data-bulle]").waitFor({ state: "attached" });
    await bubble.launcher.click();
    await talkIn(frame);
    assert.deepEqual(seen.errors, []);
  });

  test("may open another, be taken away with the bubble, and may have opened it", async () => {
    const visitor = await page();
    const { bubble } = visitor;
    await bubble.launcher.waitFor();
    await visitor.page.evaluate(() => document.querySelector("#modal").showModal());
    await call(visitor.page, "open");
    await bubble.input.waitFor();
    await visitor.page.locator("#modal > [data-bulle]").waitFor({ state: "attached" });
    await visitor.page.evaluate(() => document.querySelector("#second").showModal());
    await visitor.page.locator("#second > [data-bulle]").waitFor({ state: "attached" });
    await visitor.page.locator("#no").click();
    await visitor.page.locator("#modal > [data-bulle]").waitFor({ state: "attached" });
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    await visitor.page.evaluate(() => document.querySelector("#modal").remove());
    await visitor.page.locator("html > [data-bulle]").waitFor({ state: "attached" });
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await place(visitor), "html");
  });
});

describe("styles of the page's body", () => {
  for (const rules of ["filter:grayscale(1)", "transform:translateZ(0)", "will-change:transform", "contain:paint", "contain:layout", "perspective:100px", "backdrop-filter:blur(1px)", "container-type:inline-size", "translate:0 1px", "transform:scale(.9);overflow:hidden"]) {
    test(`${rules} leaves the launcher in its corner`, async () => {
      const { page, bubble } = await host(`<style>body{${rules}}</style><p style="height:4000px">A long page.</p>${tag()}`);
      await bubble.launcher.waitFor();
      for (const top of [0, 1500]) {
        await page.evaluate((top) => scrollTo(0, top), top);
        const box = await bubble.launcher.boundingBox();
        const { height } = page.viewportSize();
        assert.equal(Math.round(height - box.y - box.height), 20);
      }
      await talk({ bubble });
      const panel = await bubble.dialog.boundingBox();
      assert.ok(panel.y >= 0 && panel.y + panel.height <= page.viewportSize().height);
      if (rules.startsWith("filter")) await picture(page, "page-filter");
    });
  }

  test("a filter of the whole page leaves it there, too; a transform has it at the end of the page, where it opens", async () => {
    const { page, bubble } = await host(`<style>html{filter:grayscale(1)}.moved{transform:translateZ(0)}</style><p style="height:4000px">A long page.</p>${tag()}`);
    await bubble.launcher.waitFor();
    const below = async () => page.viewportSize().height - (await bubble.launcher.boundingBox()).y - 60;
    assert.equal(Math.round(await below()), 20);
    await page.evaluate(() => (document.documentElement.className = "moved"));
    assert.ok((await below()) < -1000, "out of sight");
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    assert.equal(Math.round(await below()), 20);
    await talk({ bubble });
    const panel = await bubble.dialog.boundingBox();
    assert.ok(panel.y >= 0 && panel.y + panel.height <= page.viewportSize().height);
  });
});
