// The first word: the text field is there with the launcher's click, before the code is, and nothing written in it is lost.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { focused, picture, violations } from "./support/browser.mjs";
import { ANSWER, QUESTION, hold, host, open, tag, talkIn } from "./support/host-page.mjs";
import { edge, start } from "./support/start.mjs";

start();

const OTHER = "How much is a baguette?";

/** A visitor whose panel is open, with the code (or what else fits `url`) held back. */
async function early({ url = "**/a/**", ...options } = {}) {
  const visitor = await host(tag(), options);
  const launcher = visitor.page.locator("[data-bulle] .launcher");
  await launcher.waitFor();
  const release = await hold(visitor.page, url);
  await launcher.click();
  await visitor.bubble.input.waitFor();
  return { ...visitor, release };
}

/** The text field: its text, selection and place, and whether it has the focus. */
const field = (page) =>
  page.evaluate(() => {
    const { shadowRoot } = document.querySelector("[data-bulle],bulle-chat");
    const input = shadowRoot.querySelector("textarea");
    const { x, y, width, height } = input.getBoundingClientRect();
    return {
      value: input.value,
      selection: [input.selectionStart, input.selectionEnd],
      focus: shadowRoot.activeElement === input,
      place: [x, y, width, height].map(Math.round),
    };
  });

const stored = (page) => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter((key) => !key.startsWith("bulle-open")));
const posted = ({ requests }) => requests.filter((line) => /^POST .*\/messages$/.test(line)).length;

describe("before the code is there", () => {
  const views = { desktop: {}, phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, dark: { colorScheme: "dark" }, zoom: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 } };
  for (const [name, options] of Object.entries(views)) {
    test(`the text field has its place, its name and the focus: ${name}`, async () => {
      const { page, bubble, seen, release } = await early(options);
      if (name === "phone") assert.equal(await focused(page, "dialog"), "dialog", "a keyboard would cover the greeting");
      else assert.equal(await focused(page, "textbox"), "textbox");
      assert.equal(await bubble.input.getAttribute("aria-label"), "Ask your question");
      await bubble.send.waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `first-frame-${name}`);
      const before = await field(page);
      release();
      await bubble.log.waitFor();
      await bubble.dialog.locator(".below").getByText("check what matters").waitFor();
      // In a low window, the stylesheet of the code makes the panel as high as the window.
      if (name !== "zoom") assert.deepEqual((await field(page)).place, before.place);
      assert.deepEqual(seen.errors, []);
    });
  }

  test("in a language that is written from the right, too", async () => {
    const { page, bubble, release } = await early({ locale: "ar" });
    await bubble.input.waitFor();
    await picture(page, "first-frame-rtl");
    const before = await field(page);
    release();
    await bubble.log.waitFor();
    assert.deepEqual((await field(page)).place, before.place);
  });

  test("words, lines and the caret are kept, nothing is stored, and the page gets no key", async () => {
    const { page, bubble, release } = await early();
    await page.evaluate(() => {
      window.keys = 0;
      document.addEventListener("keydown", () => (window.keys += 1));
    });
    await page.keyboard.type("Do you deliver");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.insertText("in Rennes?");
    for (let n = 0; n < 3; n += 1) await page.keyboard.press("Shift+ArrowLeft");
    const { place, ...before } = await field(page);
    assert.deepEqual(before, { value: "Do you deliver\nin Rennes?", selection: [22, 25], focus: true });
    assert.deepEqual(await stored(page), []);
    assert.equal(await page.evaluate(() => window.keys), 0);
    release();
    await bubble.log.waitFor();
    const { place: now, ...after } = await field(page);
    assert.deepEqual(after, before);
    assert.deepEqual([now[0], now[1] + now[3]], [place[0], place[1] + place[3]]);
    await page.keyboard.type("es!");
    assert.equal(await bubble.input.inputValue(), "Do you deliver\nin Rennes!");
  });

  for (const [how, send] of [["Enter", ({ page }) => page.keyboard.press("Enter")], ["the button", ({ bubble }) => bubble.send.click()]]) {
    test(`a message sent with ${how} is the first message, once, and the next draft stays`, async () => {
      const visitor = await early();
      const { page, bubble, seen, release } = visitor;
      await page.keyboard.type("  ");
      await send(visitor);
      await bubble.input.fill(QUESTION);
      await send(visitor);
      assert.equal(await bubble.input.inputValue(), "");
      await bubble.dialog.getByText(QUESTION).waitFor();
      assert.equal(await focused(page, "textbox"), "textbox");
      await page.keyboard.type("And");
      if (how === "Enter") await picture(page, "first-frame-sent");
      release();
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.equal(await bubble.count(QUESTION), 1);
      assert.equal(posted(seen), 1);
      assert.equal((await field(page)).focus, true);
      await page.keyboard.type(" now?");
      assert.equal(await bubble.input.inputValue(), "And now?");
      assert.deepEqual(seen.errors, []);
    });
  }

  test("several messages are sent in their order", async () => {
    const { page, bubble, seen, release } = await early();
    for (const question of [QUESTION, OTHER]) {
      await page.keyboard.type(question);
      await page.keyboard.press("Enter");
    }
    release();
    await bubble.log.getByText("€1.30").first().waitFor();
    const text = await bubble.text();
    assert.ok(text.indexOf(QUESTION) < text.indexOf(OTHER), text);
    assert.equal(posted(seen), 2);
  });

  test("an input method goes on composing while the code takes over", async () => {
    const { page, bubble, context, seen, release } = await early();
    const client = await context.newCDPSession(page);
    await page.keyboard.type("Bonjour ");
    await client.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    // Enter confirms the word: it sends nothing.
    await client.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Process", code: "Enter", windowsVirtualKeyCode: 229 });
    release();
    await bubble.log.waitFor();
    await client.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
    await client.send("Input.insertText", { text: "日本" });
    assert.equal(await bubble.input.inputValue(), "Bonjour 日本");
    assert.equal(posted(seen), 0);
    assert.equal((await field(page)).focus, true);
  });

  test("code that cannot be loaded: what was written stays, and is sent with the next attempt", async () => {
    const { page, bubble } = await host(tag());
    await bubble.launcher.waitFor();
    await page.route("**/a/*.wasm", (route) => route.abort());
    await bubble.launcher.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.keyboard.type("And then");
    await bubble.dialog.getByText("cannot be reached").first().waitFor();
    await bubble.dialog.getByText(QUESTION).waitFor();
    assert.equal(await bubble.input.inputValue(), "And then");
    await picture(page, "first-frame-failed");
    assert.deepEqual(await violations(page), []);
    await page.unroute("**/a/*.wasm");
    await bubble.retry.click();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.count(QUESTION), 1);
    assert.equal(await bubble.input.inputValue(), "And then");
  });

  test("Escape closes the panel, and the words are there when it opens again", async () => {
    const { page, bubble, release } = await early();
    await page.keyboard.type("Do you");
    await page.keyboard.press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    release();
    await bubble.open();
    assert.equal(await bubble.input.inputValue(), "Do you");
  });

  test("a tag in another language: the bubble is drawn again, and the words stay", async () => {
    const { page, bubble } = await host(tag(`async data-locale="fr"`), { path: "/spoken" });
    const release = await hold(page, "**/a/**");
    await bubble.launcher.click();
    await page.keyboard.type("Livrez-vous");
    release();
    await page.getByRole("dialog").getByRole("textbox", { name: "Posez votre question" }).waitFor();
    await page.getByRole("dialog").getByRole("log").waitFor();
    const { value, selection, focus } = await field(page);
    assert.deepEqual([value, selection, focus], ["Livrez-vous", [11, 11], true]);
  });
});

describe("before the session is open", () => {
  test("it is asked for while the code is on its way, once and without a preflight, and not before the panel is open", async () => {
    const { page, bubble, seen } = await host(tag());
    const asked = () => seen.requests.filter((line) => line.endsWith("/v1/sessions"));
    await bubble.launcher.waitFor();
    await bubble.launcher.hover();
    await page.waitForFunction(() => document.querySelector("[data-bulle]").shadowRoot.querySelector(".avatar"));
    assert.deepEqual(asked(), []);
    await page.reload();
    seen.requests.length = 0;
    // The head of the module comes, and its bytes do not: as on a slow network.
    await page.addInitScript(() => {
      const { compileStreaming } = WebAssembly;
      WebAssembly.compileStreaming = async (answer) => {
        await new Promise((go) => (window.go = go));
        return compileStreaming(answer);
      };
    });
    await page.reload();
    const session = page.waitForRequest("**/v1/sessions");
    await bubble.launcher.click();
    assert.equal((await session).method(), "POST");
    assert.equal(await bubble.dialog.locator(".talk").count(), 0);
    await page.evaluate(() => window.go());
    await bubble.log.waitFor();
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(asked(), ["POST /v1/sessions"]);
  });

  test("a message is shown as waiting, and sent when it is", async () => {
    const { page, bubble, seen, release } = await early({ url: "**/v1/**" });
    await bubble.dialog.locator(".talk").waitFor({ state: "attached" });
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await bubble.log.getByText(QUESTION).waitFor();
    release();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(posted(seen), 1);
  });

  test("an edge that cannot be reached: the message stands below the reason, and is sent with the next attempt", async () => {
    const { page, bubble } = await host(tag());
    await bubble.launcher.waitFor();
    await page.route("**/v1/sessions", (route) => route.abort());
    await bubble.launcher.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await bubble.dialog.getByText("cannot be reached").first().waitFor();
    await bubble.log.getByText(QUESTION).waitFor();
    await page.unroute("**/v1/sessions");
    await bubble.retry.click();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.count(QUESTION), 1);
  });
});

describe("in other places", () => {
  test("the element: a first word before its code", async () => {
    const script = `<script type="module" src="${edge.url}/element.js"></script>`;
    const { page } = await host(`<bulle-chat site="plain-demo" style="height:420px"></bulle-chat>`, { path: "/early-element" });
    const release = await hold(page, "**/a/**");
    await page.evaluate((src) => document.head.append(Object.assign(document.createElement("script"), { type: "module", src })), /src="([^"]+)"/.exec(script)[1]);
    const input = page.locator("bulle-chat").getByRole("textbox");
    await input.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.keyboard.type("And");
    const { place, ...before } = await field(page);
    release();
    await page.locator("bulle-chat").getByRole("log").getByText(ANSWER).first().waitFor();
    const { place: now, ...after } = await field(page);
    assert.deepEqual(after, before);
    assert.deepEqual(now, place);
  });

  test("a frame takes over the words, the caret and the focus, and what was sent", async () => {
    const visitor = await host(`<script async src="${edge.url}/s/plain-demo.js" data-frame></script>`, { path: "/early-frame" });
    const { page, bubble, frame } = visitor;
    await bubble.launcher.waitFor();
    const release = await hold(page, "**/c/**");
    await bubble.launcher.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await page.keyboard.type("And on Sundays");
    await page.keyboard.press("ArrowLeft");
    release();
    const input = frame.getByRole("textbox");
    await input.waitFor();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    assert.equal(await input.inputValue(), "And on Sundays");
    assert.equal(await input.evaluate((node) => node.selectionStart), 13);
    assert.ok(await input.evaluate((node) => node.getRootNode().activeElement === node));
  });

  test("a page with a strict policy, and one that enforces Trusted Types", async () => {
    for (const name of ["nonce", "trusted-types"]) {
      const { page, bubble, reports, seen } = await open(`${edge.site}/strict/${name}.html`);
      await bubble.launcher.waitFor();
      const release = await hold(page, "**/a/**");
      await bubble.launcher.click();
      await page.keyboard.type(QUESTION);
      await page.keyboard.press("Enter");
      release();
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.deepEqual(await reports(), []);
      assert.deepEqual(seen.errors, []);
    }
  });

  test("a page whose policy refuses WebAssembly: the frame has the first word", async () => {
    const { page, bubble, frame } = await open(`${edge.site}/strict/hashes.html`);
    await bubble.launcher.waitFor();
    await bubble.launcher.click();
    await page.keyboard.type(QUESTION);
    await page.keyboard.press("Enter");
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await talkIn(frame);
  });
});
