// The note above the launcher (a proactive card): when it is shown, what it opens, and how it is dismissed.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { PANEL, QUESTION, VIEWS, baker, faults, isFocused, visit } from "./support/fixture.mjs";
import { fillStorage, focused, picture } from "./support/browser.mjs";
import { start, upstream } from "./support/start.mjs";

start({ model: true });
beforeEach(() => (upstream.behave = baker));

describe("a note that comes first", () => {
  const TEXT = "Questions about our bread?";
  const rule = (more) => ({ proactive: [{ text: { en: TEXT }, ...more }] });
  const note = (page) => page.getByRole("button", { name: TEXT });
  const kept = (page) => page.evaluate(() => localStorage["bulle-note:plain-demo"]);
  const none = async (page) => {
    // A note that is due would be drawn with the next frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    assert.equal(await note(page).count(), 0);
  };
  const pause = (page) => page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));

  for (const [name, options] of Object.entries(VIEWS).filter(([name]) => name !== "zoom")) {
    test(`${name}: stands above the launcher, takes no focus, and costs no request`, async () => {
      const { page, seen } = await visit({ ...options, open: false, settings: rule({ delay_s: 0 }) });
      await note(page).waitFor();
      await page.waitForLoadState("networkidle");
      assert.equal(await page.getByRole("status").getByText(TEXT).count(), 1);
      assert.equal(await focused(page), "page");
      assert.deepEqual(await faults(page), []);
      await picture(page, `sheets-note-${name}`);
      const [card, launcher] = [await page.getByRole("status").boundingBox(), await page.locator("[data-bulle] .launcher").boundingBox()];
      assert.ok(card.y + card.height < launcher.y && card.x >= 0, JSON.stringify([card, launcher]));
      assert.deepEqual(seen.requests.filter((line) => /\/(a|v1)\//.test(line)), []);
      // The visitor has not dismissed it: it is shown again on the next page.
      assert.equal(await kept(page), undefined);
      await page.reload();
      await note(page).waitFor();
    });
  }

  test("is dismissed for good, with a key too", async () => {
    for (const dismiss of [(page) => page.getByRole("button", { name: PANEL.dismiss }).click(), (page) => note(page).press("Escape")]) {
      const { page, bubble } = await visit({ open: false, settings: rule({ delay_s: 0 }) });
      await note(page).waitFor();
      await dismiss(page);
      await note(page).waitFor({ state: "detached" });
      assert.ok(await isFocused(bubble.launcher));
      assert.equal(await kept(page), "1");
      await page.reload();
      await bubble.launcher.waitFor();
      await pause(page);
      assert.equal(await note(page).count(), 0);
    }
  });

  test("comes when its time has come, and not before", async () => {
    const script = () => {
      const timer = setInterval(() => {
        const root = document.querySelector("[data-bulle]")?.shadowRoot;
        if (!root?.querySelector("[role=status] button")) return;
        window.came = performance.now();
        clearInterval(timer);
      }, 10);
    };
    const { page } = await visit({ open: false, settings: rule({ delay_s: 2 }), script });
    await note(page).waitFor();
    const came = await page.evaluate(() => window.came);
    assert.ok(came >= 2000, `after ${came} ms`);
  });

  test("opens the panel, and never stands over an open one", async () => {
    const { page, bubble } = await visit({ open: false, settings: rule({ delay_s: 0 }) });
    await note(page).click();
    await bubble.input.waitFor();
    assert.equal(await note(page).count(), 0);
    assert.equal(await kept(page), "1");
    const asking = await visit({ open: false, settings: rule({ delay_s: 0, ask: { en: QUESTION } }) });
    await note(asking.page).waitFor();
    await note(asking.page).click();
    assert.equal(await asking.bubble.count(QUESTION), 1);
    const later = await visit({ settings: rule({ delay_s: 1 }) });
    await later.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_200)));
    assert.equal(await note(later.page).count(), 0);
    await later.page.keyboard.press("Escape");
    await pause(later.page);
    assert.equal(await note(later.page).count(), 0);
  });

  test("waits for all that its rule names: the part of the page, the way out, the address", async () => {
    const scrolled = await visit({ open: false, settings: rule({ scroll_percent: 90 }) });
    await scrolled.bubble.launcher.waitFor();
    await scrolled.page.mouse.wheel(0, 100);
    await pause(scrolled.page);
    assert.equal(await note(scrolled.page).count(), 0);
    await scrolled.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await note(scrolled.page).waitFor();

    const leaving = await visit({ open: false, settings: rule({ exit_intent: true }) });
    await leaving.bubble.launcher.waitFor();
    const leave = (clientY) => leaving.page.evaluate((clientY) => document.documentElement.dispatchEvent(new MouseEvent("mouseleave", { clientY })), clientY);
    await leave(300);
    await pause(leaving.page);
    assert.equal(await note(leaving.page).count(), 0);
    await leave(-1);
    await note(leaving.page).waitFor();

    for (const [url, fits] of [["/plain/*", true], ["*in/", true], ["/plain", false], ["/pl.in/", false], ["/shop*", false]]) {
      const { page, bubble } = await visit({ open: false, settings: rule({ delay_s: 0, url }) });
      await bubble.launcher.waitFor();
      if (fits) await note(page).waitFor();
      else await pause(page);
      assert.equal(await note(page).count(), fits ? 1 : 0, url);
    }
  });

  test("comes on a phone when the finger hurries back up", async () => {
    const { page, bubble } = await visit({ ...VIEWS.phone, open: false, settings: rule({ exit_intent: true }) });
    await bubble.launcher.waitFor();
    await page.evaluate(() => scrollTo(0, 2_000));
    await pause(page);
    assert.equal(await note(page).count(), 0);
    await page.evaluate(async () => {
      for (let at = scrollY; at > 0; at -= 150) {
        scrollTo(0, at);
        await new Promise(requestAnimationFrame);
      }
    });
    await note(page).waitFor();
  });

  test("is not there where the browser keeps nothing, and harms nothing", async () => {
    const script = () => Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("blocked", "SecurityError"); } });
    const { page, bubble, seen } = await visit({ open: false, settings: rule({ delay_s: 0 }), script });
    await bubble.launcher.waitFor();
    await pause(page);
    assert.equal(await note(page).count(), 0);
    assert.deepEqual(seen.errors, []);
  });

  test("is dismissed and followed without an error where storage is full", async () => {
    for (const settings of [rule({ delay_s: 0 }), rule({ delay_s: 0, ask: { en: "Do you deliver?" } })]) {
      const { page, bubble, seen, context } = await visit({ open: false, settings, script: fillStorage });
      await note(page).waitFor();
      if (settings.proactive[0].ask) {
        await note(page).click();
        await bubble.log.getByText("cargo bike").first().waitFor();
      } else {
        await page.getByRole("button", { name: PANEL.dismiss }).click();
        assert.ok(await isFocused(bubble.launcher));
      }
      assert.equal(await note(page).count(), 0);
      assert.equal(await page.evaluate(() => localStorage["bulle-note:plain-demo"]), undefined);
      assert.deepEqual(seen.errors, []);
      await context.close();
    }
  });

  test("its way out has the owner's own name", async () => {
    const texts = { en: { dismiss: "No, thanks" } };
    const { page } = await visit({ open: false, settings: { ...rule({ delay_s: 0 }), texts } });
    await note(page).waitFor();
    await page.getByRole("button", { name: "No, thanks" }).click();
    await note(page).waitFor({ state: "detached" });
  });

  /** The number of a page's listeners of the types that notes use. */
  async function listeners(page) {
    const client = await page.context().newCDPSession(page);
    const counts = {};
    for (const expression of ["window", "document.documentElement", "window.navigation"]) {
      const { result } = await client.send("Runtime.evaluate", { expression });
      const found = await client.send("DOMDebugger.getEventListeners", { objectId: result.objectId });
      for (const { type } of found.listeners) counts[type] = (counts[type] ?? 0) + 1;
    }
    await client.detach();
    const kinds = ["scroll", "mouseleave", "popstate", "currententrychange"];
    return kinds.map((kind) => counts[kind] ?? 0);
  }

  /** Records which timers of an hour are set. */
  const timers = () => {
    const waiting = (window.waiting = new Set());
    const { setTimeout, clearTimeout } = window;
    window.setTimeout = (run, after, ...values) => {
      const timer = setTimeout(run, after, ...values);
      if (after === 3_600_000) waiting.add(timer);
      return timer;
    };
    window.clearTimeout = (timer) => {
      waiting.delete(timer);
      clearTimeout(timer);
    };
  };

  for (const loaded of [false, true]) {
    test(`nothing waits for it after destroy(), and once after the tag has run again${loaded ? "; with the code there" : ""}`, async () => {
      const hour = rule({ delay_s: 3600, exit_intent: true });
      const { page, bubble, seen } = await visit({ open: false, settings: hour, script: timers });
      await bubble.launcher.waitFor();
      if (loaded) {
        await bubble.launcher.hover();
        await page.waitForFunction(() => document.querySelector("[data-bulle]").shadowRoot.querySelector(".avatar"));
      }
      const waits = () => page.evaluate(() => waiting.size);
      assert.deepEqual([await listeners(page), await waits()], [[1, 1, 1, 1], 1]);
      for (let times = 0; times < 3; times += 1) {
        await page.evaluate(() => Bulle["plain-demo"].destroy());
        assert.deepEqual([await listeners(page), await waits()], [[0, 0, 0, 0], 0]);
        // A second run beside the first changes nothing.
        for (const again of [1, 2]) {
          await page.evaluate(async (again) => {
            const tag = document.createElement("script");
            tag.src = document.querySelector("script[src*='/s/']").src;
            await new Promise((done) => Object.assign(tag, { onload: done, again }) && document.body.append(tag));
          }, again);
          assert.deepEqual([await listeners(page), await waits()], [[1, 1, 1, 1], 1]);
        }
      }
      assert.deepEqual(seen.errors, []);
    });
  }

  test("nothing waits any more once it has come, or the visitor has found the bubble", async () => {
    const shown = await visit({ open: false, settings: rule({ scroll_percent: 1 }) });
    await shown.bubble.launcher.waitFor();
    await shown.page.evaluate(() => dispatchEvent(new Event("scroll")));
    await note(shown.page).waitFor();
    assert.deepEqual(await listeners(shown.page), [0, 0, 0, 0]);
    const found = await visit({ settings: rule({ scroll_percent: 1 }) });
    await found.page.evaluate(() => dispatchEvent(new Event("scroll")));
    assert.deepEqual((await listeners(found.page)).slice(0, 2), [0, 0]);
    await none(found.page);
  });

  describe("for an address", () => {
    const settings = rule({ delay_s: 0, url: "/pricing*" });
    const go = (page, path) => page.evaluate((path) => history.pushState({}, "", path), path);

    test("comes when a page changes its address by itself, whose functions are left alone", async () => {
      const { page, seen } = await visit({ open: false, settings });
      await page.locator("[data-bulle] .launcher").waitFor();
      await go(page, "/about");
      await none(page);
      await go(page, "/pricing/all");
      await note(page).waitFor();
      const own = await page.evaluate(() => [Object.keys(history), /\[native code\]/.test(history.pushState)]);
      assert.deepEqual(own, [[], true]);
      assert.deepEqual(seen.errors, []);
    });

    const without = () => Object.defineProperty(window, "navigation", { value: undefined });
    for (const [name, later] of [
      ["the way back", async (page) => {
        await go(page, "/about");
        await page.evaluate(() => history.back());
      }],
      ["the next scroll", (page) => page.evaluate(() => dispatchEvent(new Event("scroll")))],
    ]) {
      test(`comes with ${name} in a browser that does not tell`, async () => {
        const { page, seen } = await visit({ open: false, settings, script: without });
        await page.locator("[data-bulle] .launcher").waitFor();
        await go(page, "/pricing");
        await none(page);
        await later(page);
        await note(page).waitFor();
        assert.deepEqual(seen.errors, []);
      });
    }
  });
});
