// Loading: the page is not slowed down, the panel opens at once; code that arrives incomplete, and a bubble that is
// removed while loading.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bubble, focused, picture, violations } from "./support/browser.mjs";
import { startTruncatingProxy } from "./support/truncating-proxy.mjs";
import { ANSWER, QUESTION, hold, host, tag, talk } from "./support/host-page.mjs";
import { edge, start } from "./support/start.mjs";
import { until } from "./support/wait.mjs";

start();

describe("before a visitor shows interest", () => {
  const watch = () => {
    window.shifts = [];
    window.frames = [];
    const observe = (type, each) =>
      new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
    observe("layout-shift", ({ value }) => shifts.push(value));
    // Frames that took more than 50 ms, by what ran in them.
    observe("long-animation-frame", ({ scripts }) => frames.push(...scripts.map(({ sourceURL, duration }) => ({ sourceURL, duration }))));
  };
  const content = "<p>Text of the page.</p>".repeat(40);

  test("nothing of the page moves", async () => {
    for (const body of [`${tag()}${content}`, `${content}${tag("")}`]) {
      const { page, bubble } = await host(body, { path: "/still", script: watch });
      await bubble.launcher.waitFor();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await page.evaluate(() => shifts), []);
      await bubble.launcher.hover();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await page.evaluate(() => shifts), []);
      // A control: a real layout shift is detected.
      await page.evaluate(() => document.body.prepend(Object.assign(document.createElement("div"), { style: "height:300px" })));
      await page.waitForFunction(() => shifts.length > 0);
    }
  });

  test("nothing of the bubble's is a long task", async () => {
    // A busy machine interrupts scripts: a single load without a long task shows that the bubble causes none.
    let longest = [];
    for (let tries = 0; tries < 15; tries += 1) {
      const { page, context, bubble } = await host(`${content}${tag()}`, { path: "/quick", script: watch });
      await bubble.launcher.waitFor();
      await page.waitForLoadState("networkidle");
      await page.evaluate(() => {
        setTimeout(() => {
          const end = performance.now() + 120;
          while (performance.now() < end);
        });
      });
      await page.waitForFunction(() => frames.some(({ duration }) => duration >= 100));
      const ours = await page.evaluate((url) => frames.filter(({ sourceURL, duration }) => duration >= 50 && sourceURL.startsWith(url)), edge.url);
      await context.close();
      if (ours.length === 0) return;
      longest = ours;
    }
    assert.deepEqual(longest, []);
  });
});

describe("the panel is there with the next frame", () => {
  /** Records the screen one frame after the click. */
  const note = () => {
    addEventListener("click", () => requestAnimationFrame(() => requestAnimationFrame(() => {
      const root = document.querySelector("[data-bulle]").shadowRoot;
      const panel = root.querySelector(".panel");
      const { width, height } = panel.getBoundingClientRect();
      window.shown = { visibility: getComputedStyle(panel).visibility, large: width > 300 && height > 300, field: root.querySelector("textarea").checkVisibility() };
    })), true);
  };
  const LOADING = { visibility: "visible", large: true, field: true };

  for (const [name, hover] of [["cold", false], ["after interest", true]]) {
    test(`while its code is on the way: ${name}`, async () => {
      const { page, bubble, seen } = await host(tag(), { script: note });
      await bubble.launcher.waitFor();
      const release = await hold(page, "**/a/**");
      if (hover) await bubble.launcher.hover();
      await bubble.launcher.click();
      await page.waitForFunction(() => window.shown);
      assert.deepEqual(await page.evaluate(() => shown), LOADING);
      if (!hover) await picture(page, "loading");
      assert.deepEqual(await violations(page), []);
      assert.equal(await focused(page, "textbox"), "textbox");
      // The panel can be closed before the code is loaded.
      await page.keyboard.press("Escape");
      await bubble.dialog.waitFor({ state: "hidden" });
      release();
      await bubble.open();
      assert.deepEqual(seen.errors, []);
    });
  }

  test("while the session is on the way, with its code there since the first interest", async () => {
    const { page, bubble } = await host(tag(), { script: note });
    const release = await hold(page, "**/v1/**");
    await bubble.launcher.hover();
    await page.waitForFunction(() => document.querySelector("[data-bulle]").shadowRoot.querySelector(".avatar"));
    await bubble.launcher.click();
    await page.waitForFunction(() => window.shown);
    assert.deepEqual(await page.evaluate(() => shown), LOADING);
    release();
    await bubble.input.waitFor();
  });
});

describe("a file that is cut off", () => {
  async function through(run) {
    const proxy = await startTruncatingProxy(edge.port);
    try {
      await run(proxy, `<script async src="${proxy.url}/s/plain-demo.js"></script>`);
    } finally {
      proxy.stop();
    }
  }

  test("the loader: there is no bubble, and no error of ours", () =>
    through(async (proxy, script) => {
      proxy.path = /^\/s\//;
      const { page, uncaught } = await host(script, { path: "/half" });
      await page.waitForLoadState("networkidle");
      assert.ok(proxy.cut > 0);
      assert.equal(await page.locator("[data-bulle]").count(), 0);
      assert.deepEqual(await uncaught(), []);
      proxy.path = undefined;
      await page.reload();
      await talk({ bubble: new Bubble(page, "en") });
    }));

  for (const part of ["js", "wasm", "css"]) {
    test(`the ${part} of the code: a calm message with a way out`, () =>
      through(async (proxy, script) => {
        proxy.path = new RegExp(`^/a/.*\\.${part}`);
        const visitor = await host(script, { path: "/half" });
        const { page, bubble, uncaught } = visitor;
        await bubble.launcher.click();
        await bubble.dialog.getByText("cannot be reached").first().waitFor();
        assert.ok(proxy.cut > 0);
        assert.deepEqual(await violations(page), []);
        proxy.path = undefined;
        await bubble.retry.click();
        await bubble.input.waitFor();
        await bubble.ask(QUESTION);
        await bubble.log.getByText(ANSWER).first().waitFor();
        assert.deepEqual(await uncaught(), []);
      }));
  }

  test("a part that few visitors want: its button goes on to be there, and brings it with the next wish", () =>
    through(async (proxy, script) => {
      const { bubble } = await host(script, { path: "/half" });
      await bubble.open();
      proxy.path = /^\/a\/.*\.js/;
      const menu = bubble.dialog.getByRole("button", { name: "Menu", exact: true });
      const cut = proxy.cut;
      await menu.click();
      await until("the part is cut", () => proxy.cut > cut);
      proxy.path = undefined;
      await bubble.ask(QUESTION);
      await bubble.log.getByText(ANSWER).first().waitFor();
      await menu.click();
      await bubble.dialog.getByRole("region", { name: "Menu" }).getByText(QUESTION).first().waitFor();
    }));
});

describe("a bubble that is taken away while it loads", () => {
  for (const [what, held] of [["its code", "**/a/*.js"], ["its module", "**/a/*.wasm"], ["its style", "**/a/*.css"], ["its session", "**/v1/sessions"]]) {
    test(`${what} comes to nothing, and the tag can run again`, async () => {
      const { page, bubble, seen, uncaught } = await host(tag());
      await bubble.launcher.waitFor();
      const { promise, resolve: release } = Promise.withResolvers();
      const asked = page.waitForRequest(held);
      await page.route(held, async (route) => {
        await promise;
        await route.continue().catch(() => {});
      });
      await bubble.launcher.click();
      await asked;
      await page.evaluate(() => Bulle["plain-demo"].destroy());
      assert.equal(await page.locator("[data-bulle]").count(), 0);
      const before = seen.requests.length;
      release();
      await page.waitForLoadState("networkidle");
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      assert.equal(await page.locator("[data-bulle]").count(), 0);
      assert.equal(await page.evaluate(() => "plain-demo" in Bulle), false);
      assert.deepEqual(seen.requests.slice(before).filter((line) => line.includes("/v1/")), []);
      assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
      await page.evaluate((src) => document.body.append(Object.assign(document.createElement("script"), { src })), `${edge.url}/s/plain-demo.js`);
      await talk({ bubble });
      assert.deepEqual(seen.errors, []);
      assert.deepEqual(await uncaught(), []);
    });
  }
});
