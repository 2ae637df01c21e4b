// The bubble in pages that watch their whole window: smooth-scroll libraries and scroll locks, focus traps of modals, modal
// dialogs, and styles of the body that carry fixed elements along.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { build } from "esbuild";
import { picture } from "./support/browser.mjs";
import { ROOT } from "./support/edge.mjs";
import { ANSWER, QUESTION, call, host, tag, talk } from "./support/host-page.mjs";
import { start } from "./support/start.mjs";

start();

const FRAMEWORKS = join(ROOT, "e2e/frameworks");
before(() => {
  if (existsSync(join(FRAMEWORKS, "node_modules/lenis"))) return;
  const installed = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FRAMEWORKS, stdio: ["ignore", 2, 2] });
  if (installed.status !== 0) throw new Error("the libraries of e2e/frameworks could not be installed by npm");
});

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
const inline = (script) => `<script>${script.replaceAll("</script", "<\\/script")}</script>`;

/** Waits until the visitor's interest has brought the code. */
const loaded = async (page) => {
  await page.locator("[data-bulle] .launcher .icon").waitFor({ state: "attached" });
  await page.waitForLoadState("networkidle");
};

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

/** A modal of the page with a field, and `modal.open()`. What it does when it is open is the trap. */
const modal = (trap) => `<div id="modal" role="dialog" aria-modal="true" aria-label="Newsletter" hidden style="position:fixed;inset:60px auto auto 60px;padding:20px;background:#eee">
    <label>E-mail <input id="mail"></label><button>Subscribe</button></div>
  ${inline(`const box = document.querySelector("#modal"), mail = document.querySelector("#mail");
  window.modal = { open() { box.hidden = false; mail.focus(); trap(); } };
  const trap = () => { ${trap} };`)}`;

/** Traps, written as the libraries do it that are named. */
const TRAPS = {
  "Bootstrap's focusin": `document.addEventListener("focusin", (event) => { if (event.target !== document && event.target !== box && !box.contains(event.target)) mail.focus(); });`,
  "the focusout of the modal": `box.addEventListener("focusout", (event) => { if (event.relatedTarget && !box.contains(event.relatedTarget)) event.target.focus(); });`,
  "Headless UI's focus of the window": `addEventListener("focus", (event) => { if (!(event.target instanceof HTMLElement) || !box.contains(event.target)) { event.preventDefault(); event.stopPropagation(); mail.focus({ preventScroll: true }); } }, true);`,
  "Angular's focus of the document": `document.addEventListener("focus", (event) => { if (!box.contains(event.target)) setTimeout(() => mail.focus()); }, true);`,
  "React Aria's focusout with the active element": `
    document.addEventListener("focusin", (event) => { if (!box.contains(event.target)) mail.focus(); });
    document.addEventListener("focusout", (event) => { if (box.contains(event.target)) requestAnimationFrame(() => { if (!box.contains(document.activeElement)) mail.focus(); }); });`,
  "MUI's interval": `document.addEventListener("focusin", (event) => { if (!box.contains(event.target)) mail.focus(); }); setInterval(() => { if (document.activeElement === document.body) mail.focus(); }, 50);`,
  "everything else inert": `for (const other of [...document.body.children, ...box.parentElement.children]) if (!other.contains(box)) { other.inert = true; other.ariaHidden = "true"; }`,
  "presses outside that are prevented": `for (const type of ["mousedown", "touchstart", "click"]) document.addEventListener(type, (event) => { if (!box.contains(event.target)) { event.preventDefault(); event.stopImmediatePropagation(); } }, true);`,
  "a press outside that closes it": `for (const type of ["pointerdown", "mousedown", "click"]) document.addEventListener(type, (event) => { if (!box.contains(event.target)) box.hidden = true; });`,
};
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
    await loaded(page);
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
      await loaded(page);
      await bubble.open();
      await write(visitor);
    });
  }

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
    await loaded(page);
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
  const DIALOG = `<dialog id="modal" style="transform:translateX(10px);overflow:hidden"><p>Newsletter</p><input id="mail"><form method="dialog"><button id="close">Close</button></form></dialog>
    <dialog id="second"><p>Sure?</p><form method="dialog"><button id="no">No</button></form></dialog>`;
  /** Pages close their dialogs when their backdrop is pressed. */
  const CLOSES = `for (const dialog of document.querySelectorAll("dialog")) dialog.onclick = ({ clientX, clientY }) => { const box = dialog.getBoundingClientRect(); if (clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom) dialog.close(); };`;
  const page = () => host(`${DIALOG}${inline(CLOSES)}${tag()}`);
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
});
