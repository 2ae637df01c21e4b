// The menu, and the form before the first message: modules that are loaded on first use.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { focused, picture } from "./support/browser.mjs";
import { ANSWER, PANEL, QUESTION, VIEWS, faults, inFocus, isFocused, modules, talk, visit as arrive } from "./support/fixture.mjs";
import { start } from "./support/start.mjs";

start();

async function visit(options) {
  const visitor = await arrive(options);
  const menu = visitor.button("Menu", { exact: true });
  return { ...visitor, menu, sheet: visitor.bubble.dialog.getByRole("region", { name: "Menu" }) };
}

describe("the menu", () => {
  test("costs nothing until it is wanted; then a conversation is found, named, opened and deleted", async () => {
    const visitor = await visit();
    const { page, bubble, menu, sheet, button, seen } = visitor;
    await talk(visitor);
    await button("New conversation").click();
    await talk(visitor, "Do you deliver?", "cargo bike");
    const before = modules(seen);
    assert.ok(!seen.requests.some((line) => line.includes("/v1/strings/")));
    await menu.click();
    const list = sheet.getByRole("list", { name: "Conversations" });
    await list.getByRole("listitem").nth(1).waitFor();
    assert.ok(modules(seen) > before);
    assert.equal(seen.requests.filter((line) => line.includes("/v1/strings/")).length, 1);
    assert.equal(await menu.getAttribute("aria-expanded"), "true");
    // The open conversation is marked.
    assert.match(await list.locator("[aria-current]").innerText(), /Do you deliver/);

    await sheet.getByRole("button", { name: `Rename: ${QUESTION}` }).click();
    const input = sheet.getByLabel("Title");
    assert.equal(await input.inputValue(), QUESTION);
    await input.fill("Bread <b>prices</b>");
    await input.press("Enter");
    await sheet.getByRole("button", { name: "Rename: Bread <b>prices</b>" }).waitFor();
    assert.match(await inFocus(page), /^Rename: Bread/);

    await list.getByRole("button", { name: /^Bread/ }).click();
    await sheet.waitFor({ state: "detached" });
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.log.getByText("cargo bike").count(), 0);

    await menu.click();
    assert.match(await list.locator("[aria-current]").innerText(), /Bread/);
    await sheet.getByRole("button", { name: "Delete: Bread" }).click();
    await sheet.getByText("This cannot be undone.").waitFor();
    await sheet.getByRole("button", { name: "Cancel" }).click();
    assert.match(await inFocus(page), /^Delete: Bread/);
    await sheet.getByRole("button", { name: "Delete: Bread" }).click();
    await sheet.getByRole("button", { name: "Delete", exact: true }).click();
    await sheet.getByText(PANEL.deleted).waitFor();
    assert.equal(await list.getByRole("listitem").count(), 1);
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    // The panel is still open, and the deleted conversation is not shown.
    assert.ok(await isFocused(menu));
    assert.equal(await bubble.log.getByText(ANSWER).count(), 0);
    assert.deepEqual(seen.errors, []);
  });

  test("is worked with the keyboard alone, and gives the focus back", async () => {
    const visitor = await visit();
    const { page, menu, sheet, bubble } = visitor;
    await talk(visitor);
    await menu.focus();
    await page.keyboard.press("Enter");
    await sheet.getByRole("button", { name: `Delete: ${QUESTION}` }).waitFor();
    assert.equal(await inFocus(page), "Back");
    const stops = [];
    for (let i = 0; i < 12 && stops.at(-1) !== "Erase everything about me"; i += 1) {
      await page.keyboard.press("Tab");
      stops.push(await inFocus(page));
    }
    assert.deepEqual(stops.map((stop) => stop.replace(/ago|now|this minute.*/g, "").slice(0, 20)), [
      "New conversation", stops[1].slice(0, 20), `Rename: ${QUESTION}`.slice(0, 20), `Delete: ${QUESTION}`.slice(0, 20),
      "Download my data", "Open in its own page", "Erase everything abo",
    ].map((stop) => stop.slice(0, 20)));
    // Escape goes back one level at a time: the question, the sheet, the panel.
    await page.keyboard.press("Enter");
    await sheet.getByText(PANEL.erase_ask).waitFor();
    await page.keyboard.press("Escape");
    await sheet.getByText(PANEL.erase_ask).waitFor({ state: "detached" });
    assert.equal(await inFocus(page), "Erase everything about me");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    assert.ok(await isFocused(menu));
    await page.keyboard.press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    assert.ok(await isFocused(bubble.launcher));
  });

  test("data are downloaded, and erased after a second question with everything that the browser keeps", async () => {
    const visitor = await visit();
    const { page, menu, sheet, edgeSide, bubble } = visitor;
    await talk(visitor);
    await menu.click();
    const download = page.waitForEvent("download");
    await sheet.getByRole("button", { name: "Download my data" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "plain-demo.json");
    const exported = await text(await file.createReadStream());
    assert.ok(JSON.parse(exported) && exported.includes(QUESTION) && exported.includes(ANSWER), exported);

    await sheet.getByRole("button", { name: "Erase everything about me" }).click();
    assert.deepEqual(edgeSide.calls.filter((call) => call === "DELETE /v1/me"), []);
    await sheet.getByRole("button", { name: "Erase everything", exact: true }).click();
    await sheet.getByText(PANEL.erased).waitFor();
    assert.deepEqual(edgeSide.calls.filter((call) => call === "DELETE /v1/me").length, 1);
    const kept = await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
    assert.deepEqual(kept, []);
    await bubble.dialog.getByText(PANEL.conversations_empty).waitFor();
    // The next visitor is another one.
    await page.keyboard.press("Escape");
    assert.equal(await bubble.log.getByText(ANSWER).count(), 0);
    await talk(visitor);
    const { length } = edgeSide.calls.filter((call) => call === "POST /v1/sessions");
    assert.equal(length, 2);
  });

  test("what the edge refuses is told, and can be tried again", async () => {
    const visitor = await visit();
    const { page, menu, sheet, edgeSide, bubble, button } = visitor;
    await talk(visitor);
    edgeSide.fail("/v1/strings/", 500);
    await menu.click();
    await sheet.getByRole("alert").waitFor();
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-unavailable");
    edgeSide.fail("/v1/strings/", undefined);
    edgeSide.fail("/v1/conversations", 503);
    await button("Try again").click();
    await sheet.getByText(PANEL.not_done).waitFor();
    edgeSide.fail("/v1/conversations", undefined);
    await button("Try again").click();
    await sheet.getByRole("button", { name: `Delete: ${QUESTION}` }).click();
    edgeSide.fail("/v1/conversations/", "offline");
    await sheet.getByRole("button", { name: "Delete", exact: true }).click();
    await sheet.getByText(PANEL.not_done).waitFor();
    // The question and the conversation are still there.
    edgeSide.fail("/v1/conversations/", undefined);
    await sheet.getByRole("button", { name: "Delete", exact: true }).click();
    await sheet.getByText(PANEL.deleted).waitFor();
    for (const [name, path] of [["Download my data", "/v1/me/export"], ["Erase everything about me", "/v1/me"]]) {
      edgeSide.fail(path, 500);
      await sheet.getByRole("button", { name }).click();
      if (path === "/v1/me") await sheet.getByRole("button", { name: "Erase everything", exact: true }).click();
      await sheet.getByText(PANEL.not_done).waitFor();
      edgeSide.fail(path, undefined);
    }
    assert.ok((await page.evaluate(() => Object.keys(localStorage))).length > 0);
    // A panel that opens again shows the conversation.
    await button("Close the chat").click();
    await bubble.open();
    assert.equal(await sheet.count(), 0);
  });

  test("a module that cannot be fetched harms nothing and is fetched with the next wish", async () => {
    const visitor = await visit();
    const { page, menu, sheet, bubble, seen } = visitor;
    await talk(visitor);
    await page.route("**/a/*.js", (route) => route.abort());
    await Promise.all([page.waitForEvent("requestfailed"), menu.click()]);
    assert.ok(await bubble.input.isVisible());
    await page.unroute("**/a/*.js");
    await menu.click();
    await sheet.waitFor();
    assert.deepEqual(seen.errors.filter((line) => !/^\[Bulle\]|^Failed to load resource/.test(line)), []);
  });

  for (const [name, options] of Object.entries(VIEWS)) {
    test(`${name}: no violation, nothing is cut off, targets are large enough`, async () => {
      const visitor = await visit({ ...options, settings: { features: { sound: true }, privacy_url: "https://example.com/privacy" } });
      const { page, bubble } = visitor;
      await talk(visitor);
      await bubble.dialog.locator("button[aria-expanded]").click();
      await page.locator("[data-bulle] .sheet .row").first().waitFor();
      assert.deepEqual(await faults(page), []);
      await picture(page, `sheets-menu-${name}`);
      const least = options.hasTouch ? 44 : 24;
      const small = await page.locator("[data-bulle] .sheet :is(button, a, input)").evaluateAll(
        (nodes, least) => nodes.filter((node) => Math.min(node.offsetWidth, node.offsetHeight) < least).map((node) => node.outerHTML), least);
      assert.deepEqual(small, []);
      assert.equal(await page.locator("[data-bulle] .sheet .all").evaluate((node) => node.scrollWidth > node.clientWidth), false);
      await page.locator("[data-bulle] .sheet .danger").click();
      await page.locator("[data-bulle] .sheet .red").waitFor();
      assert.deepEqual(await faults(page), []);
      await picture(page, `sheets-erase-${name}`);
      if (options.hasTouch) {
        // In a panel that fills the screen, Tab cycles.
        for (let i = 0; i < 20; i += 1) {
          await page.keyboard.press("Tab");
          assert.notEqual(await focused(page), "page");
        }
      }
    });
  }
});

const en = (text) => ({ en: text });
const FORM = {
  title: en("Before we start"),
  text: en("So that we can call you back about your order."),
  fields: [
    { name: "name", label: en("Your name"), kind: "text", required: true },
    { name: "email", label: en("E-mail"), kind: "email", required: true },
    { name: "phone", label: en("Phone"), kind: "tel", required: false },
    { name: "topic", label: en("Topic"), kind: "select", required: true, options: en(["Bread", "Cakes"]) },
    { name: "wishes", label: en("Wishes"), kind: "textarea", required: false },
    { name: "news", label: en("Send me the news"), kind: "checkbox", required: false },
  ],
  consent: en("I agree to the [privacy notice](https://example.com/privacy)."),
  submit: en("Start the chat"),
  required: true,
};
const SUBMIT = FORM.submit.en;

test("texts of the sheets are the owner's too, by the console and by the tag", async () => {
  const texts = en({ erase: "Forget about me", conversations_empty: "We have not spoken yet" });
  const { menu, sheet } = await visit({
    settings: { texts },
    // The attribute is set before the script runs.
    script: () =>
      new MutationObserver(() => {
        const tag = document.querySelector("script[src*='/s/']");
        if (tag) tag.dataset.textExport = "Take it along";
      }).observe(document, { childList: true, subtree: true }),
  });
  await menu.click();
  await sheet.getByText("We have not spoken yet").waitFor();
  for (const name of ["Forget about me", "Take it along"]) await sheet.getByRole("button", { name }).waitFor();
});

describe("the form before the first message", () => {
  test("is filled in with the keyboard, says what is missing, and makes way for the composer", async () => {
    const visitor = await visit({ settings: { form: FORM } });
    const { page, bubble, edgeSide, seen } = visitor;
    const form = bubble.dialog.getByRole("form", { name: FORM.title.en });
    await form.waitFor();
    assert.ok(!(await page.locator("[data-bulle] .composer").isVisible()));
    assert.deepEqual(await faults(page), []);
    await form.getByLabel("Your name").waitFor();
    assert.equal(await form.getByLabel("Your name").getAttribute("autocomplete"), "name");
    assert.equal(await form.getByLabel("E-mail").getAttribute("autocomplete"), "email");
    await form.getByLabel("E-mail").fill("nobody");
    await page.keyboard.press("Enter");
    assert.ok(await isFocused(form.getByLabel("Your name")));
    const described = async (label) => {
      const id = await form.getByLabel(label).getAttribute("aria-describedby");
      return page.locator(`[data-bulle] #${id}`).innerText();
    };
    assert.equal(await described("Your name"), PANEL.form_required);
    assert.equal(await described("E-mail"), PANEL.form_email);
    assert.equal(await described("I agree"), PANEL.form_consent);
    assert.equal(await form.getByLabel("E-mail").getAttribute("aria-invalid"), "true");
    assert.equal(await described("Phone"), "");
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-form-errors");
    assert.deepEqual(edgeSide.calls.filter((call) => call.startsWith("PUT")), []);

    await page.keyboard.type("Ada Lovelace");
    assert.equal(await described("Your name"), "");
    await form.getByLabel("E-mail").fill("ada@example.com");
    await form.getByLabel("Topic").selectOption("Cakes");
    await form.getByLabel("I agree").check();
    const link = form.getByRole("link", { name: /privacy notice/ });
    assert.equal(await link.getAttribute("href"), "https://example.com/privacy");

    // The form keeps its values when the edge fails.
    edgeSide.fail("/v1/me", 500);
    await form.getByRole("button", { name: SUBMIT }).click();
    await form.getByText(PANEL.form_failed).waitFor();
    edgeSide.fail("/v1/me", "offline");
    await form.getByRole("button", { name: SUBMIT }).click();
    await page.waitForFunction(() => document.querySelector("[data-bulle]").shadowRoot.querySelector(".form [role=alert]").textContent);
    assert.equal(await form.getByLabel("Your name").inputValue(), "Ada Lovelace");
    edgeSide.fail("/v1/me", undefined);
    await form.getByRole("button", { name: SUBMIT }).click();
    await form.waitFor({ state: "detached" });
    assert.ok(await isFocused(bubble.input));
    assert.deepEqual(edgeSide.answers, { fields: { name: "Ada Lovelace", email: "ada@example.com", topic: "Cakes", news: "false" }, consent: true });
    await talk(visitor);
    assert.deepEqual(seen.errors.filter((line) => !/Failed to load resource/.test(line)), []);
    // The form is shown only once.
    await page.reload();
    await visitor.bubble.reopen();
    await bubble.log.getByText(ANSWER).first().waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(await form.count(), 0);
  });

  test("a question that is picked meanwhile is asked when it has been sent", async () => {
    const form = { title: en("Your name?"), fields: [FORM.fields[0]], required: true };
    const { page, bubble } = await visit({ settings: { form } });
    const shown = bubble.dialog.getByRole("form");
    await shown.waitFor();
    await bubble.dialog.getByRole("button", { name: QUESTION }).click();
    assert.ok(await isFocused(shown.getByLabel("Your name")));
    assert.equal(await bubble.log.getByText(ANSWER).count(), 0);
    await page.keyboard.type("Ada");
    await page.keyboard.press("Enter");
    await bubble.log.getByText(ANSWER).first().waitFor();
  });

  test("one that may be left out can be dismissed, and comes only before the first message", async () => {
    const visitor = await visit({ settings: { form: { ...FORM, required: false, consent: undefined } } });
    const { page, bubble } = visitor;
    const form = bubble.dialog.getByRole("form");
    await form.getByRole("button", { name: "Dismiss" }).click();
    assert.ok(await isFocused(bubble.input));
    await talk(visitor);
    await page.reload();
    await visitor.bubble.reopen();
    await bubble.log.getByText(ANSWER).first().waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(await form.count(), 0);
  });

  for (const [name, options] of Object.entries(VIEWS)) {
    test(`${name}: no violation, nothing is cut off`, async () => {
      const { page, bubble } = await visit({ ...options, settings: { form: FORM } });
      await page.locator("[data-bulle] .form").waitFor();
      assert.deepEqual(await faults(page), []);
      await picture(page, `sheets-form-${name}`);
      const submit = bubble.dialog.getByRole("button", { name: SUBMIT });
      await submit.scrollIntoViewIfNeeded();
      const [box, { width, height }] = [await submit.boundingBox(), page.viewportSize()];
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, JSON.stringify(box));
      await picture(page, `sheets-form-end-${name}`);
    });
  }
});
