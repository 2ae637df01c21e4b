// The messages between a page and the bubble's frame: theme, language and visibility, and no content of the
// conversation. When a frame is used is tested in content-security-policy.test.mjs.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bubble, picture } from "./support/browser.mjs";
import { ANSWER, QUESTION, call, host, open, talkIn } from "./support/host-page.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { edge, site, start } from "./support/start.mjs";

start();

const framed = (more = "", key = "plain-demo") => `<script async src="${edge.url}/s/${key}.js" data-frame ${more}></script>`;

/** The page records all messages that it gets, over ports too, and the bubble's events; every frame counts notes. */
function listen() {
  window.told = [];
  addEventListener("message", ({ data }) => told.push(data));
  const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
  Object.defineProperty(MessagePort.prototype, "onmessage", {
    set(listener) {
      this.addEventListener("message", ({ data }) => told.push(data));
      set.call(this, listener);
    },
  });
  window.heard = [];
  if (window === top) for (const kind of ["ready", "open", "close", "message", "reply", "error", "unread"]) (window.Bulle ||= []).push(["on", kind, (detail) => heard.push([kind, detail])]);
  window.notes = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...at) {
    window.notes += 1;
    return start.apply(this, at);
  };
}

/** The frame, once it exists. */
async function inside({ page }) {
  const element = await page.waitForSelector("[data-bulle] iframe", { state: "attached" });
  return element.contentFrame();
}

/** Waits until a custom property of the conversation in the frame, or a property of its panel, has this value. */
const looks = async (visitor, name, value) =>
  (await inside(visitor)).waitForFunction(
    ([name, value]) => {
      const chat = document.querySelector("bulle-chat");
      const panel = chat.shadowRoot?.querySelector(".panel");
      return panel && getComputedStyle(name.startsWith("--") ? chat : panel).getPropertyValue(name).trim() === value;
    },
    [name, value],
  );

describe("a reply that nobody sees", () => {
  /** Asks, and closes the panel before the answer arrives. */
  async function askAndClose({ page, bubble, frame }) {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route("**/v1/conversations/**", async (route) => (await held, route.continue()));
    await frame.getByRole("textbox").fill(QUESTION);
    await frame.getByRole("textbox").press("Enter");
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.dialog.waitFor({ state: "hidden" });
    release();
  }

  test("is counted on the page's launcher until the panel opens, and told the page without a word of it", async () => {
    const visitor = await open(`${edge.site}/strict/frame.html`, { script: listen });
    const { page, bubble, frame, seen, reports } = visitor;
    const counts = () => page.evaluate(() => heard.filter(([kind]) => kind === "unread").map(([, { count }]) => count));
    await bubble.launcher.click();
    await askAndClose(visitor);
    const launcher = page.getByRole("button", { name: "Open the chat (1 new message)" });
    await launcher.waitFor();
    assert.equal(await launcher.getAttribute("data-unread"), "1");
    assert.equal(await launcher.evaluate((node) => getComputedStyle(node, "::after").boxSizing), "border-box", "a round badge");
    assert.deepEqual(await counts(), [1]);
    await picture(page, "frame-unread");
    // A change of the theme does not change the count.
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ accent: "#123456" }));
    await launcher.click();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await page.waitForFunction(() => heard.filter(([kind]) => kind === "unread").length === 2);
    // The launcher of an open panel shows an arrow, and not the bubble.
    const shape = () => page.locator("[data-bulle] .launcher").evaluate((node) => getComputedStyle(node, "::before").clipPath);
    assert.match(await shape(), /^polygon/);
    assert.deepEqual(await counts(), [1, 0]);
    assert.equal(await page.locator("[data-bulle] [data-unread]").count(), 0);
    // Replies in an open panel are not counted.
    await frame.getByRole("textbox").fill("When are you open?");
    await frame.getByRole("textbox").press("Enter");
    await frame.getByRole("log").getByText("Tuesday").first().waitFor();
    await frame.getByRole("button", { name: "Send" }).waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await page.getByRole("button", { name: "Open the chat", exact: true }).waitFor();
    assert.deepEqual(await counts(), [1, 0]);
    // After that, the count starts again.
    await bubble.launcher.click();
    await askAndClose(visitor);
    await launcher.waitFor();
    assert.deepEqual(await counts(), [1, 0, 1]);

    const told = JSON.stringify(await page.evaluate(() => [told, heard]));
    for (const words of [QUESTION, ANSWER, "Tuesday"]) assert.ok(!told.includes(words), told);
    assert.deepEqual(await reports(), []);
    assert.deepEqual(seen.errors, []);
  });

  test("is counted when the page asks and closes before the frame is there", async () => {
    const { page, bubble, frame, uncaught } = await host(framed(), { path: "/at-once", script: listen });
    await bubble.launcher.waitFor();
    await call(page, "ask", QUESTION);
    await call(page, "close");
    await page.getByRole("button", { name: "Open the chat (1 new message)" }).click();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await page.waitForFunction(() => heard.filter(([kind]) => kind === "unread").at(-1)?.[1].count === 0);
    assert.deepEqual(await uncaught(), []);
  });

  test("sounds in the frame where the owner wants it, once", async () => {
    const owner = await Owner.with(edge, "sounding", { locale: "en", limits: GENEROUS, features: { sound: true } }, [site.url]);
    const visitor = await host(framed("", owner.site.key), { path: "/sound", script: listen });
    const { page, bubble } = visitor;
    await bubble.launcher.click();
    await askAndClose(visitor);
    await page.getByRole("button", { name: "Open the chat (1 new message)" }).waitFor();
    assert.equal(await (await inside(visitor)).evaluate(() => window.notes), 2);
    assert.equal(await page.evaluate(() => window.notes), 0);
  });
});

describe("looks", () => {
  test("of the tag, of the page's CSS and of a script reach the frame at any time", async () => {
    const visitor = await host(framed(`data-accent="#00aa00" data-dark-bg="#001122" data-font="serif"`), { path: "/looks" });
    const { page, bubble, seen } = visitor;
    await bubble.launcher.waitFor();
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ soft: "#eeffee" }));
    await bubble.launcher.click();
    await looks(visitor, "--bulle-accent", "#00aa00");
    await looks(visitor, "--bulle-dark-bg", "#001122");
    await looks(visitor, "--bulle-soft", "#eeffee");
    await looks(visitor, "font-family", "serif");
    await looks(visitor, "background-color", "rgb(255, 255, 255)");
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ scheme: "dark", accent: "#123456" }));
    await looks(visitor, "background-color", "rgb(0, 17, 34)");
    await looks(visitor, "--bulle-accent", "#123456");
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ darkBg: "#221100", onAccent: "#ffff00" }));
    await looks(visitor, "background-color", "rgb(34, 17, 0)");
    await looks(visitor, "--bulle-on-accent", "#ffff00");
    // The page's CSS takes precedence.
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("[data-bulle]{--bulle-accent:#c00000}");
      document.adoptedStyleSheets.push(sheet);
      Bulle["plain-demo"].setTheme({ accent: "#0000c0" });
    });
    await looks(visitor, "--bulle-accent", "#c00000");
    // After a change of language they are unchanged.
    await page.evaluate(() => Bulle["plain-demo"].setLocale("fr"));
    await visitor.frame.getByRole("button", { name: "Envoyer" }).waitFor();
    await looks(visitor, "background-color", "rgb(34, 17, 0)");
    assert.deepEqual(seen.errors, []);
  });
});

describe("words", () => {
  test("of the tag are the frame's, as text", async () => {
    const words = [
      `data-name="Bread &lt;b&gt;here&lt;/b&gt;"`,
      `data-tagline="Since &lt;i&gt;1901&lt;/i&gt;"`,
      `data-greeting="Bread?&lt;img src=x onerror='window.harmed=1'&gt;"`,
      `data-text-placeholder="Say it" data-text-new_conversation="Afresh" data-other="nothing"`,
    ];
    const visitor = await host(framed(words.join(" ")), { path: "/words" });
    const { bubble, frame, seen } = visitor;
    await bubble.launcher.click();
    await frame.getByRole("log").getByText("Bread?<img src=x onerror='window.harmed=1'>").waitFor();
    await frame.getByRole("heading", { name: "Bread <b>here</b>" }).first().waitFor();
    await frame.getByText("Since <i>1901</i>").waitFor();
    assert.equal(await frame.getByRole("textbox").getAttribute("placeholder"), "Say it");
    const inner = await inside(visitor);
    assert.equal(await inner.evaluate(() => window.harmed), undefined);
    assert.equal(await inner.title(), "Bread <b>here</b>");
    assert.equal(await inner.evaluate(() => "other" in document.querySelector("bulle-chat").dataset), false);
    assert.deepEqual(seen.errors, []);
  });

  test("of another language are spoken at once, the conversation goes on, and nothing is asked that the page refuses", async () => {
    const { page, bubble, frame, reports, seen } = await open(`${edge.site}/strict/frame.html`, { script: listen });
    await bubble.launcher.click();
    await talkIn(frame);
    await frame.getByRole("button", { name: "Send" }).waitFor();
    await page.evaluate(() => Bulle["plain-demo"].setLocale("fr"));
    await frame.getByRole("button", { name: "Envoyer" }).waitFor();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    // The page's own texts change, too.
    const french = new Bubble(page, "fr");
    await french.dialog.getByRole("button", { name: "Fermer la discussion" }).click();
    await french.dialog.waitFor({ state: "hidden" });
    await french.launcher.click();
    await page.getByRole("button", { name: "Fermer la discussion" }).first().waitFor();
    assert.equal(await page.locator("[data-bulle]").getAttribute("lang"), "fr");
    await frame.getByRole("textbox").fill("Merci");
    await page.evaluate(() => Bulle["plain-demo"].setLocale("ar"));
    await frame.locator("[dir=rtl]").first().waitFor();
    await page.waitForFunction(() => document.querySelector("[data-bulle]").dir === "rtl");
    await page.evaluate(() => Bulle["plain-demo"].setLocale("en"));
    await frame.getByRole("button", { name: "Send" }).waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.launcher.waitFor();
    assert.equal(await page.locator("[data-bulle]").count(), 1);
    assert.deepEqual(await reports(), []);
    assert.deepEqual(seen.errors, []);
  });

  test("of the tag's language, or of what was asked for before the frame, are its first", async () => {
    const headers = { "content-security-policy": `default-src 'none'; script-src ${edge.url}; frame-src ${edge.url}` };
    const tagged = await host(framed(`data-locale="fr"`), { path: "/tagged", headers });
    await tagged.bubble.launcher.click();
    await tagged.frame.getByRole("button", { name: "Envoyer" }).waitFor();
    await new Bubble(tagged.page, "fr").dialog.getByRole("button", { name: "Fermer la discussion" }).waitFor();
    assert.deepEqual(await tagged.reports(), []);
    const early = await host(framed(), { path: "/early", headers });
    await early.bubble.launcher.waitFor();
    await call(early.page, "setLocale", "fr");
    await early.bubble.launcher.click();
    await early.frame.getByRole("button", { name: "Envoyer" }).waitFor();
    assert.deepEqual(await early.reports(), []);
    assert.deepEqual([...tagged.seen.errors, ...early.seen.errors], []);
  });

  test("that come by the policy's refusal are the same", async () => {
    const headers = { "content-security-policy": `default-src 'none'; script-src ${edge.url}; connect-src ${edge.url}; frame-src ${edge.url}` };
    const { page, bubble, frame, uncaught } = await host(`<script async src="${edge.url}/s/plain-demo.js" data-greeting="Bread?"></script>`, { path: "/refused", headers });
    await bubble.launcher.click();
    await frame.getByRole("log").getByText("Bread?").waitFor();
    await talkIn(frame);
    await page.evaluate(() => Bulle["plain-demo"].setLocale("fr"));
    await frame.getByRole("button", { name: "Envoyer" }).waitFor();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await new Bubble(page, "fr").dialog.getByRole("button", { name: "Fermer la discussion" }).waitFor();
    assert.deepEqual(await uncaught(), []);
  });
});

describe("a page that frames the conversation by itself", () => {
  test("sees it without a word", async () => {
    const { page } = await host(`<iframe src="${edge.url}/c/plain-demo?frame" width="600" height="700"></iframe>`, { path: "/by-hand" });
    await talkIn(page.frameLocator("iframe"));
  });

  test("says what it likes, and is heard as far as it is known", async () => {
    const { page } = await host(`<iframe src="${edge.url}/c/plain-demo?frame=bubble" width="600" height="700"></iframe>`, {
      path: "/odd",
      script: () => {
        if (window !== top) return;
        addEventListener("message", ({ data, source }) => {
          if (data !== "bulle") return;
          const { port1, port2 } = new MessageChannel();
          source.postMessage("bulle", "*", [port2]);
          const theme = { accent: "#00aa00", scheme: "dark inline evil", "background;color": "red", url: "x", bg: 7, __proto__: { line: "#fff" } };
          const words = { greeting: "Bread?", onclick: "window.harmed=1", site: "other", identity: "x", frame: "", locale: "fr", "text-send": "x", textSend: "<b>Go</b>", name: {} };
          for (const call of [["nothing"], ["focus"], ["wishes", { theme: null, locale: 7, isOpen: "" }], ["start", false, words, { theme, locale: "en", isOpen: true }], ["open"], ["identity", 99, true, ""]]) port1.postMessage(call);
        });
      },
    });
    const frame = page.frameLocator("iframe");
    await frame.getByRole("log").getByText("Bread?").waitFor();
    await frame.getByRole("button", { name: "<b>Go</b>" }).waitFor();
    await frame.getByRole("heading", { name: "Boulangerie Nord" }).first().waitFor();
    const chat = await frame.locator("bulle-chat").evaluate((chat) => ({
      names: chat.getAttributeNames().sort(),
      site: chat.getAttribute("site"),
      accent: getComputedStyle(chat).getPropertyValue("--bulle-accent"),
      classes: chat.shadowRoot.querySelector(".frame").className,
    }));
    assert.deepEqual(chat.names.filter((name) => !["dir", "lang"].includes(name)), ["data-framed", "data-greeting", "data-locale", "data-text-send", "site"]);
    assert.equal(chat.site, "plain-demo");
    assert.equal(chat.accent, "#00aa00");
    assert.doesNotMatch(chat.classes, /evil/);
  });
});
