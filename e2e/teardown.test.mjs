// Cleanup: the microphone when the panel closes, the menu and the form of an earlier visitor, and a bubble that is
// removed in one tab while other tabs stay open.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { PANEL, isFocused, visit } from "./support/fixture.mjs";
import { Bubble, watch } from "./support/browser.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { answer, paced, stream } from "./support/upstream.mjs";
import { edge, start, upstream } from "./support/start.mjs";

start({ model: true });
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(["One ", "answer."]));
});

const QUESTION = "How much is a baguette?";
const destroy = (page) => page.evaluate(() => Bulle["plain-demo"].destroy());

describe("dictation", () => {
  /** A recogniser that listens until it is stopped. */
  const hear = () => {
    window.listening = 0;
    window.webkitSpeechRecognition = window.SpeechRecognition = class {
      start() {
        window.listening += 1;
        window.hears = this;
      }
      stop() {
        this.abort();
      }
      abort() {
        window.listening -= 1;
        this.onend();
      }
    };
  };
  const listening = (page) => page.evaluate(() => window.listening);

  async function speaking() {
    const visitor = await visit({ settings: { features: { dictation: true } }, script: hear });
    await visitor.button(PANEL.dictate).click();
    await visitor.button(PANEL.dictate_stop).waitFor();
    assert.equal(await listening(visitor.page), 1);
    return visitor;
  }

  for (const [name, close] of [
    ["by the visitor", ({ page }) => page.keyboard.press("Escape")],
    ["by the page", ({ page }) => page.evaluate(() => Bulle["plain-demo"].close())],
  ]) {
    test(`nobody is heard when the panel is closed ${name}`, async () => {
      const visitor = await speaking();
      const { page, bubble, button, seen } = visitor;
      await close(visitor);
      await bubble.dialog.waitFor({ state: "hidden" });
      await page.waitForFunction(() => window.listening === 0);
      await bubble.launcher.click();
      await button(PANEL.dictate).waitFor();
      assert.equal(await listening(page), 0);
      // Words recognised after the stop are dropped.
      await page.evaluate(() => window.hears.onresult({ results: [Object.assign([{ transcript: "late" }], { isFinal: true })] }));
      assert.equal(await bubble.input.inputValue(), "");
      assert.deepEqual(seen.errors, []);
    });
  }

  test("nobody is heard when the bubble is taken away", async () => {
    const { page, seen } = await speaking();
    await destroy(page);
    assert.equal(await listening(page), 0);
    assert.equal(await page.locator("[data-bulle]").count(), 0);
    assert.deepEqual(seen.errors, []);
  });
});

describe("another visitor at the same screen", () => {
  const FORM = { title: { en: "Before we start" }, fields: [{ name: "name", label: { en: "Your name" }, kind: "text", required: true }], required: true };

  /** Identifies the visitor by the number of an account. */
  async function identify(page, sub) {
    const { secret } = await new Owner(edge, "boulangerie-nord").post("/identity-secrets");
    const identity = sub && jwt(secret, { sub, tier: "premium", exp: inSeconds(600) });
    await page.evaluate((identity) => Bulle["plain-demo"].identify(identity), identity ?? null);
  }

  test("finds no menu of the one before", async () => {
    const { page, bubble, button, seen } = await visit({ settings: { limits: GENEROUS } });
    await bubble.ask(QUESTION);
    await bubble.log.getByText("One answer.").waitFor();
    await button("Menu", { exact: true }).click();
    const menu = bubble.dialog.getByRole("region", { name: "Menu" });
    await menu.getByText(QUESTION).first().waitFor();
    await identify(page, "7");
    await menu.waitFor({ state: "detached" });
    await bubble.log.getByText(QUESTION).waitFor({ state: "detached" });
    // The conversation behind the sheet can be used again, and the menu is the new visitor's.
    await bubble.input.waitFor();
    await bubble.ask("And a croissant?");
    await bubble.log.getByText("One answer.").waitFor();
    await button("Menu", { exact: true }).click();
    await menu.getByText("And a croissant?").first().waitFor();
    assert.equal(await menu.getByText(QUESTION).count(), 0);
    await page.evaluate(() => Bulle["plain-demo"].signOut());
    await menu.waitFor({ state: "detached" });
    await bubble.input.waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("finds no form that the one before has begun", async () => {
    const { page, bubble, seen } = await visit({ settings: { form: FORM, limits: GENEROUS } });
    const name = bubble.dialog.getByRole("form").getByLabel("Your name");
    await name.fill("Ada Lovelace");
    const gone = await name.elementHandle();
    await identify(page, "8");
    await page.waitForFunction((field) => !field.isConnected, gone);
    // The form is shown to the new visitor, too.
    await name.waitFor();
    assert.equal(await name.inputValue(), "");
    await name.fill("Grace");
    await page.keyboard.press("Enter");
    await name.waitFor({ state: "detached" });
    assert.ok(await isFocused(bubble.input));
    assert.deepEqual(seen.errors, []);
  });
});

describe("a bubble that is taken away in one tab", () => {
  async function pair() {
    const { page, context, bubble } = await visit();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("One answer.").waitFor();
    const tab = await context.newPage();
    const seen = watch(tab);
    await tab.goto(`${edge.site}/plain/`);
    const other = await new Bubble(tab, "en").open();
    await other.log.getByText("One answer.").waitFor();
    upstream.requests.length = 0;
    return { page, bubble, tab, other, seen };
  }

  test("in the middle of an answer leaves it to the others, whole and once", async () => {
    const { page, bubble, other, seen } = await pair();
    const pace = paced(answer(["First half. ", "Second half."]), 1);
    upstream.behave = pace.behave;
    await bubble.ask(QUESTION);
    await other.log.getByText("First half.").waitFor();
    await destroy(page);
    pace.rest();
    await other.log.getByText("Second half.").waitFor();
    await other.settled();
    assert.equal(await other.count("First half. Second half."), 1);
    assert.equal(await other.count(QUESTION), 1);
    assert.equal(upstream.requests.length, 1);
    assert.deepEqual(seen.errors, []);
  });

  test("at rest changes nothing in the others, which go on", async () => {
    const { page, other, tab, seen } = await pair();
    const before = await other.text();
    const calls = seen.requests.length;
    await destroy(page);
    await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await other.text(), before);
    assert.deepEqual(seen.requests.slice(calls), []);
    await other.ask(QUESTION);
    await other.log.getByText("One answer.").nth(1).waitFor();
    assert.equal(await other.count(QUESTION), 1);
    assert.deepEqual(seen.errors, []);
  });
});
