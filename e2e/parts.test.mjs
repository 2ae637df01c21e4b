// What few visitors want, each a module that is fetched when it is wanted: reasons for a rating, files, dictation, coloured
// code, the count of unread replies; and notes that come first.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Bubble, focused, launch, picture } from "./support/browser.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";
import { ANSWER, PANEL, QUESTION, VIEWS, back, faults, isFocused, modules, talk, visit as arrive } from "./support/bakery.mjs";

let upstream, edge, browser;
/** What the model of the bakery says. */
const bakery = (response, question) => {
  const says = /deliver/.test(question) ? "With our cargo bike." : /open/.test(question) ? "From Tuesday on." : `It costs ${ANSWER}.`;
  return stream(response, answer([says]));
};
before(async () => {
  upstream = await startUpstream();
  upstream.behave = bakery;
  browser = await launch();
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
});
after(async () => {
  await browser?.close();
  upstream?.stop();
  await edge?.stop();
});

const visit = (options) => arrive(browser, edge, options);

describe("a rating", () => {
  async function rated(rating, options) {
    const visitor = await visit(options);
    await talk(visitor);
    const thumb = visitor.button(rating === "up" ? "Good answer" : "Bad answer").last();
    const message = await thumb.getAttribute("data-v");
    await thumb.click();
    return { ...visitor, message, thumb, field: visitor.bubble.dialog.getByLabel(rating === "up" ? PANEL.why_good : PANEL.why) };
  }

  test("is sent at once, and again with the reason that the visitor gives", async () => {
    const { page, bubble, button, message, field, edgeSide } = await rated("down");
    await field.waitFor();
    assert.deepEqual(edgeSide.feedback, [{ rating: "down" }]);
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-comment");
    await field.fill("The price is old.");
    await button("Send", { exact: true }).first().click();
    await bubble.dialog.getByText(PANEL.thanks).waitFor();
    assert.deepEqual(edgeSide.feedback, [{ rating: "down" }, { rating: "down", comment: "The price is old." }]);
    await picture(page, "sheets-thanks");
    // The real edge has it.
    assert.ok(edgeSide.calls.includes(`POST /v1/messages/${message}/feedback`));
    await button("New conversation").click();
    await bubble.dialog.getByText(PANEL.thanks).waitFor({ state: "detached" });
  });

  test("that does not arrive is told; Escape takes the form away and not the panel", async () => {
    const { page, bubble, button, thumb, field, edgeSide } = await rated("up");
    await field.waitFor();
    edgeSide.fail("/feedback", "offline");
    await field.fill("Quick");
    await button("Send", { exact: true }).first().click();
    await bubble.dialog.getByText(PANEL.not_done).waitFor();
    assert.equal(await field.inputValue(), "Quick");
    await field.press("Escape");
    await field.waitFor({ state: "detached" });
    assert.ok(await bubble.dialog.isVisible());
    assert.ok(await isFocused(thumb));
    // A rating that did not arrive at all is taken back.
    const bad = button("Bad answer").last();
    await bad.click();
    await bubble.dialog.getByText(PANEL.not_done).waitFor();
    assert.equal(await bad.getAttribute("aria-pressed"), "false");
    await page.keyboard.press("Tab");
    assert.notEqual(await focused(page), "page");
  });
});

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
    assert.equal(edgeSide.files.length, 1);
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
    // They are shown with the question, and the model has read them.
    for (const name of ["dropped.txt", "pasted.md"]) await bubble.log.getByText(name).first().waitFor();
    assert.match(JSON.stringify(upstream.requests.at(-1).body.messages), /Words of dropped\.txt/);
    await picture(page, "sheets-files-sent");
  });

  test("nothing of it is there when the owner has not turned it on", async () => {
    const { page, button, seen } = await visit();
    await page.waitForLoadState("networkidle");
    assert.equal(await button(PANEL.attach).count(), 0);
    assert.equal(await button(PANEL.dictate).count(), 0);
    assert.equal(modules(seen), 1);
  });
});

describe("dictation", () => {
  const settings = { features: { dictation: true, attachments: true } };
  /** A recogniser that is driven by the test: the browser's own needs a microphone and a service. */
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
    // The send button knows of the words.
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

/** Asks, and closes the panel before the answer comes. */
async function askAndClose({ bubble, edgeSide }) {
  const release = edgeSide.hold("/v1/conversations");
  await bubble.ask(QUESTION);
  await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
  await bubble.dialog.waitFor({ state: "hidden" });
  release();
}

describe("a reply that nobody sees", () => {
  test("is counted on the launcher until the panel opens, whichever tab has asked", async () => {
    const visitor = await visit();
    const { page, context, bubble, button } = visitor;
    await askAndClose(visitor);
    const launcher = page.getByRole("button", { name: "Open the chat (1 new message)" });
    await launcher.waitFor();
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-unread");
    const tab = await context.newPage();
    await tab.goto(`${edge.site}/plain/`);
    const other = await new Bubble(tab, "en").open();
    await other.log.getByText(ANSWER).first().waitFor();
    await talk({ bubble: other }, "Do you deliver?", "cargo bike");
    await tab.close();
    await page.getByRole("button", { name: "Open the chat (2 new messages)" }).click();
    await bubble.log.getByText("cargo bike").first().waitFor();
    await button("Close the chat").click();
    assert.equal(await bubble.launcher.getAttribute("aria-label"), "Open the chat");
    assert.equal(await page.locator("[data-bulle] [data-unread]").count(), 0);
    // What is seen is not counted.
    await bubble.open();
    await talk(visitor, "When are you open?", "Tuesday");
    await page.waitForLoadState("networkidle");
    assert.equal(await page.locator("[data-bulle] [data-unread]").count(), 0);
  });

  test("sounds where the owner wants it, until the visitor turns it off, which is kept after the first message", async () => {
    const script = () => {
      window.notes = 0;
      const { start } = OscillatorNode.prototype;
      OscillatorNode.prototype.start = function (...at) {
        window.notes += 1;
        return start.apply(this, at);
      };
    };
    const visitor = await visit({ settings: { features: { sound: true } }, script });
    const { page, bubble } = visitor;
    const turn = async (name) => {
      await bubble.dialog.getByRole("button", { name: "Menu", exact: true }).click();
      await bubble.dialog.getByRole("button", { name }).click();
      await page.keyboard.press("Escape");
    };
    const reply = async () => {
      await askAndClose(visitor);
      const launcher = page.getByRole("button", { name: /new message/ });
      await launcher.waitFor();
      const notes = await page.evaluate(() => window.notes);
      await launcher.click();
      return notes;
    };
    await turn(PANEL.sound_off);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    assert.equal(await reply(), 0);
    assert.ok((await page.evaluate(() => Object.keys(localStorage))).includes("bulle-quiet:plain-demo"));
    await page.reload();
    await back(visitor);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await reply(), 0);
    await turn(PANEL.sound_on);
    assert.equal(await reply(), 2);
  });
});

describe("code", () => {
  const SAMPLES = {
    js: ["// a\nconst x = `b ${1}`;", ["comment:// a", "keyword:const", "string:`b ${1}`"]],
    python: ["def f(a): # x\n  return 'é' + 0x1f", ["keyword:def", "comment:# x", "keyword:return", "string:'é'", "number:0x1f"]],
    rust: ["fn main() { println!(\"hi\"); let c = 'a'; }", ["keyword:fn", "name:println!", 'string:"hi"', "keyword:let", "string:'a'"]],
    sql: ["SELECT a FROM b -- c\nWHERE d = 'e''f'", ["keyword:SELECT", "keyword:FROM", "comment:-- c", "keyword:WHERE", "string:'e''f'"]],
    json: ['{"a": [1.5, true, "b"]}', ['name:"a"', "number:1.5", "keyword:true", 'string:"b"']],
    yaml: ["a-b: 12 # c\n- d: 'e'", ["name:a-b", "number:12", "comment:# c", "name:- d", "string:'e'"]],
    html: ["<!-- a --><p class=\"b\">c &amp; d</p>", ["comment:<!-- a -->", "keyword:<p", "name:class", 'string:"b"', "keyword:>", "number:&amp;", "keyword:</p", "keyword:>"]],
    css: ["a { color: #fff; /* b */ }", ["name:color", "number:#fff", "comment:/* b */"]],
    bash: ["echo \"$a\" | grep -v b # c", ["keyword:echo", 'string:"$a"', "name:-v", "comment:# c"]],
    go: ["func f() { return `a` }", ["keyword:func", "keyword:return", "string:`a`"]],
    php: ["<?php echo $a; # b", ["name:<?php", "keyword:echo", "name:$a", "comment:# b"]],
    ruby: ["def a; puts :b; end # c", ["keyword:def", "keyword:puts", "name::b", "keyword:end", "comment:# c"]],
    "c++": ["#include <a>\nint x = 1'000; // b", ["name:#include", "keyword:int", "comment:// b"]],
    c: ["unfinished /* comment", ["comment:/* comment"]],
  };

  /** An answer that stops in the middle until it is told to go on. */
  function say(...pieces) {
    let goOn;
    const gate = new Promise((resolve) => (goOn = resolve));
    upstream.behave = async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const [first, ...rest] = answer(pieces);
      response.write(first);
      await gate;
      for (const piece of rest) response.write(piece);
      response.end();
    };
    return goOn;
  }

  after(() => (upstream.behave = bakery));

  const blocks = (samples) => Object.entries(samples).map(([language, [code]]) => `\`\`\`${language}\n${code}\n\`\`\`\n\n`).join("");

  test("in a known language is coloured without touching its elements, once the answer is complete", async () => {
    const visitor = await visit();
    const { page, bubble, seen } = visitor;
    // Under an answer is nothing to fetch, so these are the modules of code.
    const fetched = () => modules(seen);
    say(blocks({ brainfuck: ["+++"] }), "That is all.")();
    await talk(visitor, "Brainfuck?", "That is all.");
    await page.waitForLoadState("networkidle");
    const before = fetched();

    const goOn = say("```js\nconst half", " = 1;\n```\n\n", blocks(SAMPLES), "There.");
    await bubble.ask("All of them?");
    await bubble.log.getByText("const half").waitFor();
    assert.equal(fetched(), before);
    goOn();
    await bubble.log.getByText("There.").waitFor();
    await page.waitForFunction(() => CSS.highlights.get("bulle-keyword")?.size);
    const found = await page.evaluate(() => {
      const all = {};
      for (const [name, ranges] of CSS.highlights) {
        for (const range of ranges) {
          const { language } = range.startContainer.parentElement.parentElement.dataset;
          const words = range.startContainer.data.slice(range.startOffset, range.endOffset);
          (all[language] ??= []).push([range.startOffset, `${name.replace("bulle-", "")}:${words}`]);
        }
      }
      return all;
    });
    for (const [language, [, expected]] of Object.entries(SAMPLES)) {
      const got = (found[language] ?? []).sort(([a], [b]) => a - b).map(([, token]) => token);
      for (const token of expected) assert.ok(got.includes(token), `${language}: ${token} in ${got.join(" ")}`);
    }
    assert.ok(!found.brainfuck);
    assert.equal(await page.evaluate(() => document.querySelector("[data-bulle]").shadowRoot.querySelectorAll("pre code *").length), 0);
    assert.deepEqual(await faults(page), []);
    await picture(page, "sheets-code");
    await page.emulateMedia({ colorScheme: "dark" });
    await picture(page, "sheets-code-dark");
    await page.reload();
    await back(visitor);
    await bubble.log.getByText("There.").waitFor();
    await page.waitForFunction(() => CSS.highlights.get("bulle-keyword")?.size);
    // The ranges of what is gone are let go with the next code.
    await bubble.dialog.getByRole("button", { name: "New conversation" }).click();
    say(blocks({ sql: ["SELECT 1"] }), "Done.")();
    await talk(visitor, "SQL?", "Done.");
    await page.waitForFunction(() => [...CSS.highlights.values()].reduce((sum, { size }) => sum + size, 0) === 2);
    assert.deepEqual(seen.errors, []);
  });

  test("its colours have 4.5 to 1 on what they stand on", async () => {
    const source = await readFile(`${ROOT}/widget/page/highlight.ts`, "utf8");
    const pairs = [...source.matchAll(/\["(#\w{6})", "(#\w{6})"\]/g)].map(([, light, dark]) => [light, dark]);
    assert.equal(pairs.length, 5);
    const luminance = (hex) => {
      const [r, g, b] = hex.match(/\w\w/g).map((part) => parseInt(part, 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
      const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
      return (high + 0.05) / (low + 0.05);
    };
    for (const [light, dark] of pairs) {
      assert.ok(contrast(light, "#ffffff") >= 4.5, light);
      assert.ok(contrast(dark, "#17181c") >= 4.5, dark);
    }
  });
});

describe("a note that comes first", () => {
  const TEXT = "Questions about our bread?";
  const rule = (more) => ({ proactive: [{ text: { en: TEXT }, ...more }] });
  const note = (page) => page.getByRole("button", { name: TEXT });
  const kept = (page) => page.evaluate(() => localStorage["bulle-note:plain-demo"]);
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
      // Nobody has answered it yet: it comes again with the next page.
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
});
