// Additions to replies, modules that are loaded on first use: a reason for a rating, a count of unread replies, and
// syntax highlighting.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { beforeEach, describe, test } from "node:test";
import { ANSWER, PANEL, QUESTION, baker, faults, isFocused, modules, talk, visit } from "./support/fixture.mjs";
import { Bubble, focused, picture } from "./support/browser.mjs";
import { ROOT } from "./support/edge.mjs";
import { edge, start, upstream } from "./support/start.mjs";
import { answer, paced } from "./support/upstream.mjs";

start({ model: true });
beforeEach(() => (upstream.behave = baker));

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
    // The real edge has stored it.
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
    // A rating that did not reach the edge is withdrawn.
    const bad = button("Bad answer").last();
    await bad.click();
    await bubble.dialog.getByText(PANEL.not_done).waitFor();
    assert.equal(await bad.getAttribute("aria-pressed"), "false");
    await page.keyboard.press("Tab");
    assert.notEqual(await focused(page), "page");
  });
});

/** Asks, and closes the panel before the answer arrives. */
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
    // Replies in an open panel are not counted.
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
    await visitor.bubble.reopen();
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

  /** An answer that stops in the middle until the test continues it. */
  function say(...pieces) {
    const pace = paced(answer(pieces), 1);
    upstream.behave = pace.behave;
    return () => pace.rest();
  }

  const blocks = (samples) => Object.entries(samples).map(([language, [code]]) => `\`\`\`${language}\n${code}\n\`\`\`\n\n`).join("");

  test("in a known language is coloured without touching its elements, once the answer is complete", async () => {
    const visitor = await visit();
    const { page, bubble, seen } = visitor;
    // An answer without code needs no module, so these are the modules of highlighting.
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
    await visitor.bubble.reopen();
    await bubble.log.getByText("There.").waitFor();
    await page.waitForFunction(() => CSS.highlights.get("bulle-keyword")?.size);
    // Ranges of removed code are dropped at the next highlighting.
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
