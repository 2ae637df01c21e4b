// The calls and events that pages use in JavaScript: `Bulle`.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bubble } from "./support/browser.mjs";
import { ANSWER, QUESTION, call, host, tag, talk } from "./support/host-page.mjs";
import { edge, start } from "./support/start.mjs";

start();

describe("the owner's API", () => {
  test("what is called before there is a bubble waits for it, and nothing is fetched for it", async () => {
    const early = `<script>(window.Bulle ||= []).push(["on", "ready", () => (window.wasReady = true)]);Bulle.push(["on", "message", (m) => (window.asked = m.text)])</script>`;
    const { page, seen, bubble } = await host(`${early}${tag()}`);
    await bubble.launcher.waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(seen.requests.filter((line) => line.includes("/a/")).length, 0);
    await call(page, "ask", QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.count(QUESTION), 1);
    assert.equal(await page.evaluate(() => window.wasReady), true);
    assert.equal(await page.evaluate(() => window.asked), QUESTION);
    assert.deepEqual(seen.errors, []);
  });

  test("open, close, toggle, and what is heard of them", async () => {
    const { page, bubble, seen } = await host(tag());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.heard = [];
      for (const kind of ["ready", "open", "close", "message", "reply", "error", "unread"]) {
        Bulle["plain-demo"].on(kind, (detail) => heard.push([kind, detail]));
      }
      Bulle["plain-demo"].open();
    });
    await bubble.input.waitFor();
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    await bubble.settled();
    await call(page, "toggle");
    await bubble.dialog.waitFor({ state: "hidden" });
    await page.evaluate(() => Bulle["plain-demo"].toggle());
    await bubble.dialog.waitFor();
    await page.evaluate(() => Bulle["plain-demo"].close());
    await bubble.dialog.waitFor({ state: "hidden" });
    const heard = await page.evaluate(() => heard);
    assert.deepEqual(heard.map(([kind]) => kind), ["open", "ready", "message", "reply", "close", "open", "close"]);
    assert.equal(heard[2][1].text, QUESTION);
    assert.match(heard[3][1].text, /cargo bike/);
    assert.deepEqual(seen.errors, []);
  });

  test("a listener that throws is reported and harms nothing", async () => {
    const { page, bubble, seen, uncaught } = await host(tag());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.after = 0;
      Bulle["plain-demo"].on("open", () => { throw new Error("the owner's own"); });
      Bulle["plain-demo"].on("open", () => (window.after += 1));
    });
    await talk({ bubble });
    assert.equal(await page.evaluate(() => window.after), 1);
    assert.match((await uncaught()).join(), /the owner's own/);
    assert.equal(seen.errors.filter((line) => !line.includes("the owner's own")).length, 0);
  });

  test("looks can change at any time, on the launcher at once", async () => {
    const { page, bubble } = await host(tag(`async data-accent="#00aa00" data-position="left" data-size="compact"`));
    await bubble.launcher.waitFor();
    const look = () => bubble.launcher.evaluate((node) => {
      const { backgroundColor, color } = getComputedStyle(node);
      const box = node.getBoundingClientRect();
      return { backgroundColor, color, left: Math.round(box.left), width: Math.round(box.width) };
    });
    assert.deepEqual(await look(), { backgroundColor: "rgb(0, 170, 0)", color: await look().then((l) => l.color), left: 20, width: 52 });
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ accent: "#123456", position: "right", size: "large" }));
    assert.equal((await look()).backgroundColor, "rgb(18, 52, 86)");
    assert.ok((await look()).left > 600);
    await bubble.open();
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ scheme: "dark", darkBg: "#001122" }));
    assert.equal(await bubble.dialog.evaluate((node) => getComputedStyle(node).backgroundColor), "rgb(0, 17, 34)");
    // The page's CSS takes precedence.
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("[data-bulle]{--bulle-accent:#c00000}");
      document.adoptedStyleSheets.push(sheet);
    });
    assert.equal(await bubble.dialog.getByRole("button").last().evaluate((node) => getComputedStyle(node).getPropertyValue("--accent").trim()), "#c00000");
  });

  test("black or white stands on every accent with 4.5 to 1 and more", async () => {
    const { page, bubble } = await host(tag());
    await bubble.launcher.waitFor();
    const worst = await page.evaluate(() => {
      const launcher = document.querySelector("[data-bulle]").shadowRoot.querySelector(".launcher");
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const drawn = (colour) => {
        canvas.fillStyle = "#000";
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const luminance = (rgb) => {
        const [r, g, b] = rgb.map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let worst = [21, ""];
      for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) {
        Bulle["plain-demo"].setTheme({ accent: `rgb(${r} ${g} ${b})` });
        const { backgroundColor, color } = getComputedStyle(launcher);
        const [x, y] = [luminance(drawn(backgroundColor)), luminance(drawn(color))].sort((a, b) => b - a);
        const contrast = (x + 0.05) / (y + 0.05);
        if (contrast < worst[0]) worst = [contrast, `${backgroundColor} ${color}`];
      }
      return worst;
    });
    assert.ok(worst[0] >= 4.5, worst.join(" "));
  });

  test("another language is spoken at once, by the API and by the tag", async () => {
    const { page, bubble, seen } = await host(tag());
    await bubble.open();
    await page.evaluate(() => Bulle["plain-demo"].setLocale("fr"));
    const french = new Bubble(page, "fr");
    await french.send.waitFor();
    assert.equal(await page.locator("[data-bulle]").getAttribute("lang"), "fr");
    assert.equal(await page.locator("[data-bulle]").count(), 1);
    const worded = await host(tag(`async data-greeting="Bread?" data-text-placeholder="Say it" data-text-new_conversation="Afresh"`), { path: "/worded" });
    await worded.bubble.open();
    await worded.bubble.log.getByText("Bread?").waitFor();
    assert.equal(await worded.bubble.input.getAttribute("placeholder"), "Say it");
    const other = await host(tag(`async data-locale="fr" data-name="Ma boulangerie"`), { path: "/fr" });
    await other.bubble.launcher.click();
    await new Bubble(other.page, "fr").send.waitFor();
    await other.page.getByRole("dialog", { name: "Ma boulangerie" }).waitFor();
    const script = await host(`<script async src="${edge.url}/s/plain-demo.js?locale=fr"></script>`, { path: "/script" });
    await new Bubble(script.page, "fr").launcher.waitFor();
    assert.deepEqual([...seen.errors, ...other.seen.errors], []);
  });

  test("destroy leaves nothing, and the tag can run again", async () => {
    const { page, bubble, seen } = await host(tag(), {
      script: () => {
        window.alive = new Set();
        const { addEventListener, removeEventListener } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (kind, listener, options) {
          const target = this ?? window;
          if ([window, document, visualViewport].includes(target) && /\/(a\/bulle-|s\/plain)/.test(new Error().stack)) {
            const entry = { kind, listener };
            alive.add(entry);
            options?.signal?.addEventListener("abort", () => alive.delete(entry));
          }
          return addEventListener.call(target, kind, listener, options);
        };
        EventTarget.prototype.removeEventListener = function (kind, listener, options) {
          for (const entry of alive) if (entry.kind === kind && entry.listener === listener) alive.delete(entry);
          return removeEventListener.call(this ?? window, kind, listener, options);
        };
      },
    });
    await talk({ bubble });
    assert.ok((await page.evaluate(() => alive.size)) > 0);
    await page.evaluate(() => Bulle["plain-demo"].destroy());
    assert.equal(await page.locator("[data-bulle]").count(), 0);
    assert.equal(await page.evaluate(() => "plain-demo" in Bulle), false);
    const left = await page.evaluate(() => [...alive].map(({ kind }) => kind));
    assert.deepEqual(left, []);
    // Nothing is restored by itself, and there is no error.
    await page.evaluate(() => document.body.append(document.createElement("p")));
    await page.evaluate(() => dispatchEvent(new Event("online")));
    assert.equal(await page.locator("[data-bulle]").count(), 0);
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement("script"), { src })), `${edge.url}/s/plain-demo.js`);
    await bubble.launcher.waitFor();
    await bubble.open();
    // The visitor is the same.
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("words and colours of the tag hold before the code is there", async () => {
    const words = `data-text-open="Ask the baker" data-text-loading="Warming up" data-text-unavailable="Gone fishing" data-text-retry="Once more"`;
    const { page } = await host(tag(`async data-accent="#ffe08a" data-on-accent="#102030" data-bg="#fffbeb" ${words}`), { path: "/tagged", script: () => window.Bulle = [["setTheme", { darkBg: "#221100" }]] });
    const launcher = page.getByRole("button", { name: "Ask the baker" });
    await launcher.waitFor();
    const [background, color] = await launcher.evaluate((node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]);
    assert.deepEqual([background, color], ["rgb(255, 224, 138)", "rgb(16, 32, 48)"]);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route(/\/a\/bulle-[^.]*\.js/, async (route) => {
      await held;
      await route.abort();
    });
    await launcher.click();
    const panel = page.getByRole("dialog");
    await panel.getByText("Warming up").waitFor();
    const backgroundOf = () => panel.evaluate((node) => getComputedStyle(node).backgroundColor);
    assert.equal(await backgroundOf(), "rgb(255, 251, 235)");
    await page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await backgroundOf(), "rgb(34, 17, 0)");
    release();
    await panel.getByText("Gone fishing").waitFor();
    await panel.getByRole("button", { name: "Once more" }).waitFor();
  });

  test("a page that opens the panel by itself makes nothing be stored", async () => {
    const script = () => {
      window.Bulle = [["open"]];
      // An evaluation by the test would otherwise count as the visitor's gesture.
      window.visitor = { hasBeenActive: false };
      Object.defineProperty(navigator, "userActivation", { value: visitor });
    };
    const { page, bubble } = await host(tag(), { path: "/opened", script });
    await bubble.input.waitFor();
    const kept = () => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
    assert.deepEqual(await kept(), []);
    await page.evaluate(() => (visitor.hasBeenActive = true));
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.launcher.click();
    assert.deepEqual(await kept(), ["bulle-open:plain-demo"]);
  });

  test("two bubbles stay side by side when one speaks another language", async () => {
    const { page } = await host(`${tag()}<script async src="${edge.url}/s/twin-demo.js"></script>`, { path: "/two" });
    await page.locator("[data-bulle]").nth(1).waitFor({ state: "attached" });
    const places = () => page.evaluate(() => [...document.querySelectorAll("[data-bulle]")].map(({ shadowRoot }) => getComputedStyle(shadowRoot.querySelector(".launcher")).marginRight).sort());
    const before = await places();
    assert.deepEqual(before, ["0px", "76px"]);
    const first = await page.locator("[data-bulle]").first().getAttribute("data-bulle");
    await page.locator(`[data-bulle="${first}"] .launcher`).hover();
    await page.evaluate((site) => Bulle[site].setLocale("fr"), first);
    await page.locator(`[data-bulle="${first}"][lang=fr]`).waitFor({ state: "attached" });
    assert.deepEqual(await places(), before);
  });

  test("two bubbles are spoken to together, or one by one", async () => {
    const { page } = await host(`${tag()}<script async src="${edge.url}/s/twin-demo.js"></script>`);
    await page.locator("[data-bulle]").nth(1).waitFor({ state: "attached" });
    await page.evaluate(() => Bulle["twin-demo"].open());
    await page.getByRole("dialog", { name: "Maëlle Kervadec" }).getByRole("textbox").waitFor();
    assert.equal(await page.getByRole("dialog").count(), 1);
    await call(page, "open");
    await page.getByRole("dialog", { name: "Boulangerie Nord" }).getByRole("textbox").waitFor();
    await call(page, "close");
    for (const name of ["Maëlle Kervadec", "Boulangerie Nord"]) await page.getByRole("dialog", { name }).waitFor({ state: "hidden" });
  });
});
