// The composer's additions, modules that are loaded on first use: files, and dictation.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ANSWER, PANEL, QUESTION, baker, faults, isFocused, modules, visit } from "./support/fixture.mjs";
import { picture } from "./support/browser.mjs";
import { start, upstream } from "./support/start.mjs";
import { until } from "./support/wait.mjs";

start({ model: true });
beforeEach(() => (upstream.behave = baker));

const file = (name, size = 2_000, type = "text/plain") => ({ name, mimeType: type, buffer: Buffer.alloc(size, "Flour, water, salt.\n") });

describe("files", () => {
  const settings = { features: { attachments: true } };
  const chips = ({ bubble }) => bubble.dialog.getByRole("list", { name: PANEL.attach }).getByRole("listitem");
  async function choose({ page, button }, ...files) {
    const chooser = page.waitForEvent("filechooser");
    await button(PANEL.attach).click();
    await (await chooser).setFiles(files);
  }

  test("are read at once, shown, removed, and refused by kind, size and number", async () => {
    const visitor = await visit({ settings });
    const { page, bubble, edgeSide, button } = visitor;
    const alert = bubble.dialog.locator(".filesaid");
    await choose(visitor, file("menu.txt"), file("prices.csv", 150_000, "text/csv"));
    await page.waitForFunction(() => !document.querySelector("[data-bulle]").shadowRoot.querySelector(".files progress"));
    assert.equal(await chips(visitor).count(), 2);
    assert.deepEqual(edgeSide.files.map(({ name, bytes, type }) => [name, bytes, type]), [["menu.txt", 2_000, "text/plain"], ["prices.csv", 150_000, "text/csv"]]);
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-files");
    await choose(visitor, file("virus.exe"));
    assert.match(await alert.innerText(), /pdf/);
    await choose(visitor, file("large.pdf", 5_242_881, "application/pdf"));
    assert.match(await alert.innerText(), /large\.pdf/);
    await choose(visitor, file("a.txt"), file("b.txt"));
    assert.match(await alert.innerText(), /3/);
    assert.equal(await chips(visitor).count(), 3);
    await picture(page, "sheets-files-refused");
    assert.deepEqual(await faults(page), []);
    await button("Remove menu.txt").click();
    assert.equal(await chips(visitor).count(), 2);
    assert.equal(await alert.innerText(), "");
    assert.ok(await isFocused(button(PANEL.attach)));
  });

  test("tell their size, the small ones in bytes", async () => {
    const visitor = await visit({ settings });
    await choose(visitor, file("note.txt", 664), file("menu.txt", 2_000), file("prices.csv", 150_000, "text/csv"));
    await visitor.page.waitForFunction(() => !document.querySelector("[data-bulle]").shadowRoot.querySelector(".files progress"));
    const sizes = await chips(visitor).locator(".size").allInnerTexts();
    assert.deepEqual(sizes, ["664 bytes", "2 kB", "150 kB"]);
  });

  test("that the edge cannot take say why, and are sent again where that may help", async () => {
    const visitor = await visit({ settings });
    const { bubble, edgeSide, button } = visitor;
    for (const [status, words] of [[413, /at most/], [422, /cannot be read/]]) {
      edgeSide.fail("/v1/attachments", status);
      await choose(visitor, file("notes.txt"));
      await bubble.dialog.getByRole("alert").getByText(words).waitFor();
      assert.equal(await button("Try again").count(), 0);
      await button("Remove notes.txt").click();
    }
    edgeSide.fail("/v1/attachments", "offline");
    await choose(visitor, file("notes.txt"));
    await bubble.dialog.getByText(PANEL.attach_failed).waitFor();
    edgeSide.fail("/v1/attachments", undefined);
    await button("Try again").click();
    await bubble.dialog.getByText(PANEL.attach_failed).waitFor({ state: "detached" });
    // The line disappears when the file is sent again; the request takes time to arrive.
    await until("the file has arrived", () => edgeSide.files.length === 1);
  });

  test("are dropped and pasted, and a message waits for them", async () => {
    const visitor = await visit({ settings });
    const { page, bubble, edgeSide, button } = visitor;
    await button(PANEL.attach).waitFor();
    const release = edgeSide.hold("/v1/attachments");
    await page.evaluate(() => {
      const root = document.querySelector("[data-bulle]").shadowRoot;
      const data = (name) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([`Words of ${name}, which are read.`], name, { type: "text/plain" }));
        return transfer;
      };
      const at = { bubbles: true, composed: true, cancelable: true };
      root.querySelector(".log").dispatchEvent(new DragEvent("dragover", { ...at, dataTransfer: data("a.txt") }));
      root.querySelector(".log").dispatchEvent(new DragEvent("drop", { ...at, dataTransfer: data("dropped.txt") }));
      root.querySelector("textarea").dispatchEvent(new ClipboardEvent("paste", { ...at, clipboardData: data("pasted.md") }));
    });
    await chips(visitor).nth(1).waitFor();
    await bubble.ask(QUESTION);
    await bubble.dialog.locator(".filesaid").getByText("Reading dropped.txt").waitFor();
    await picture(page, "sheets-files-reading");
    assert.equal(await bubble.log.getByText(ANSWER).count(), 0);
    release();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(edgeSide.files.map(({ name }) => name).sort(), ["dropped.txt", "pasted.md"]);
    assert.equal(await chips(visitor).count(), 0);
    // The files are shown with the question, and are in the model's prompt.
    for (const name of ["dropped.txt", "pasted.md"]) await bubble.log.getByText(name).first().waitFor();
    assert.match(JSON.stringify(upstream.requests.at(-1).body.messages), /Words of dropped\.txt/);
    await picture(page, "sheets-files-sent");
  });

  test("that are still on their way when a suggestion is picked go with the next message", async () => {
    const visitor = await visit({ settings });
    const { page, bubble, edgeSide, button } = visitor;
    const release = edgeSide.hold("/v1/attachments");
    await choose(visitor, file("menu.txt"));
    await chips(visitor).first().waitFor();
    await page.evaluate((question) => window.Bulle.push(["ask", question]), QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await chips(visitor).count(), 1);
    release();
    await button("Remove menu.txt").waitFor();
    const sent = page.waitForRequest((request) => /messages$/.test(request.url()) && request.method() === "POST");
    await bubble.ask("And in the file?");
    assert.equal((await sent).postDataJSON().attachments.length, 1);
    await chips(visitor).first().waitFor({ state: "detached" });
  });

  test("nothing of it is there when the owner has not turned it on", async () => {
    const { page, button, seen } = await visit();
    await page.waitForLoadState("networkidle");
    assert.equal(await button(PANEL.attach).count(), 0);
    assert.equal(await button(PANEL.dictate).count(), 0);
    // The page's side of the widget, and its isolation from the page's listeners.
    assert.equal(modules(seen), 2);
  });
});

describe("dictation", () => {
  const settings = { features: { dictation: true, attachments: true } };
  /** A speech recogniser that the test drives: the browser's own needs a microphone and a service. */
  const hear = () => {
    window.webkitSpeechRecognition = window.SpeechRecognition = class {
      start() {
        window.hears = this;
        this.all = [];
      }
      say(transcript, isFinal) {
        if (this.all.length && !this.all.at(-1).isFinal) this.all.pop();
        this.all.push(Object.assign([{ transcript }], { isFinal }));
        this.onresult({ results: this.all });
      }
      stop() {
        this.onend();
      }
      abort() {
        this.onend();
      }
      fail(error) {
        this.onerror({ error });
        this.onend();
      }
    };
  };
  async function speaker() {
    const visitor = await visit({ settings, script: hear });
    const { page, button } = visitor;
    await button(PANEL.dictate).waitFor();
    return { ...visitor, says: (words, final) => page.evaluate(([words, final]) => window.hears.say(words, final), [words, final]) };
  }

  test("shows what it hears, keeps what was there, and goes on after a change by hand", async () => {
    const { page, bubble, button, says } = await speaker();
    await bubble.input.fill("Hello,");
    await button(PANEL.dictate).click();
    assert.equal(await page.evaluate(() => window.hears.lang), "en");
    await says("how mu", false);
    assert.equal(await bubble.input.inputValue(), "Hello, how mu");
    await says("how much is", true);
    await says(" a baguette", false);
    assert.equal(await bubble.input.inputValue(), "Hello, how much is a baguette");
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-dictate");
    await says(" a baguette", true);
    await bubble.input.fill("Tell me:");
    await says(" now", false);
    assert.equal(await bubble.input.inputValue(), "Tell me: now");
    await button(PANEL.dictate_stop).click();
    await button(PANEL.dictate).waitFor();
    // The send button is enabled by the dictated words.
    assert.equal(await bubble.send.getAttribute("aria-disabled"), "false");
  });

  test("what was sent does not come back", async () => {
    const { bubble, button, says } = await speaker();
    await button(PANEL.dictate).click();
    await says(QUESTION, true);
    await bubble.input.press("Enter");
    await bubble.log.getByText(ANSWER).first().waitFor();
    await says("late", false);
    assert.equal(await bubble.input.inputValue(), "");
    await button(PANEL.dictate).waitFor();
  });

  test("a microphone that is denied or missing is told", async () => {
    const { page, bubble, button } = await speaker();
    for (const [error, words] of [["not-allowed", PANEL.dictate_denied], ["network", PANEL.dictate_unavailable]]) {
      await button(PANEL.dictate).click();
      await page.evaluate((error) => window.hears.fail(error), error);
      await bubble.dialog.getByText(words).waitFor();
      await button(PANEL.dictate).waitFor();
    }
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-dictate-unavailable");
  });
});
