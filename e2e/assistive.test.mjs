// Assistive technology and the visitor's own settings: the accessibility tree, keyboard navigation back to the page,
// forced colours and reduced motion, and large text.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { VIEWS, baker, faults, talk, visit } from "./support/fixture.mjs";
import { focused, picture } from "./support/browser.mjs";
import { answer, stream } from "./support/upstream.mjs";
import { edge, start, upstream } from "./support/start.mjs";

start({ model: true });
beforeEach(() => (upstream.behave = baker));

const QUESTION = "How much is a baguette?";
const MIXED = [
  "## Prices\n\nOur prices of today, apiece and by the dozen [1].\n\n",
  "| Product | Main ingredients | Price | Dozen |\n|---|---|--:|--:|\n| Baguette de tradition | Flour, water, salt, sourdough | €1.30 | €14.00 |\n\n",
  "```rust\nfn price(pieces: u32) -> f64 { f64::from(pieces) * 1.30 /* a comment that goes on and on to the right */ }\n```\n\n",
  "- Rechtsschutzversicherungsgesellschaftenangestellte\n- [our prices](https://example.com/a-long-way-to-go-for-a-baguette-of-tradition)\n\nThe end.",
];

test("keys lead from the panel of a desktop back to the page, both ways", async () => {
  const { page, bubble } = await visit(VIEWS.desktop);
  await talk({ bubble });
  assert.equal(await bubble.dialog.getAttribute("aria-modal"), "false");
  for (const key of ["Tab", "Shift+Tab"]) {
    await bubble.input.focus();
    const visited = [];
    for (let n = 0; n < 30; n += 1) {
      await page.keyboard.press(key);
      visited.push(await focused(page));
    }
    assert.ok(visited.includes("page"), `${key}: ${visited}`);
    assert.ok(visited.includes("button"), `${key}: ${visited}`);
  }
});

/** The tree that screen readers read. Times and addresses are replaced by those of the test. */
const TREES = {
  empty: `
- dialog "Boulangerie Nord":
  - heading "Boulangerie Nord" [level=2]
  - paragraph: Usually answers at once
  - button "Menu"
  - button "Close the chat"
  - log "Conversation":
    - text: Boulangerie Nord
    - paragraph: You are chatting with an AI program, not a person.
    - paragraph: Hello! Ask me about our bread, our opening hours or your order.
    - list:
      - listitem:
        - button "When are you open?"
      - listitem:
        - button "How much is a baguette?"
      - listitem:
        - button "Do you deliver?"
    - paragraph: I can help with
    - list:
      - listitem:
        - button "Opening hours"
      - listitem:
        - button "Bread and prices"
      - listitem:
        - button "Allergens"
  - textbox "Ask your question"
  - button "Send" [disabled]
  - paragraph: "Automatic answers can be wrong: check what matters."
  - status`,
  answered: `
- dialog "Boulangerie Nord":
  - heading "Boulangerie Nord" [level=2]
  - paragraph: Usually answers at once
  - button "New conversation"
  - button "Menu"
  - button "Close the chat"
  - log "Conversation":
    - text: Boulangerie Nord
    - paragraph: You are chatting with an AI program, not a person.
    - paragraph: Hello! Ask me about our bread, our opening hours or your order.
    - paragraph: Today
    - text: "You said: How much is a baguette? Boulangerie Nord"
    - paragraph:
      - text: The
      - strong: baguette
      - text: costs €1.30
      - superscript:
        - 'button "Source 1: Boulangerie Nord › Breads and prices"': "1"
      - text: .
    - text: js
    - button "Copy the code"
    - code: buy();
    - paragraph: The end.
    - group:
      - text: Sources 1
      - list:
        - listitem:
          - link "Boulangerie Nord › Breads and prices (opens in a new window)":
            - /url: SITE/plain/#breads-and-prices
          - paragraph: "Baguette: the traditional baguette costs €1.30. Country loaf: the sourdough country loaf of 800 g costs €5.20. Rye bread: the rye bread of 500 g costs €4.60. Seed loaf: the seed loaf of 400 g, with sunflower and flax seeds, costs €3.90."
    - time: TIME
    - button "Good answer"
    - button "Bad answer"
    - button "Copy the answer"
    - list:
      - listitem:
        - button "What can you tell me about “Vegan products”?"
      - listitem:
        - button "When are you open?"
      - listitem:
        - button "Do you deliver?"
  - textbox "Ask your question"
  - button "Send" [disabled]
  - paragraph: "Automatic answers can be wrong: check what matters."
  - status`,
  menu: `
- region "Menu":
  - button "Back"
  - heading "Menu" [level=3]
  - status
  - button "New conversation"
  - heading "Conversations" [level=4]
  - list "Conversations":
    - listitem:
      - button "How much is a baguette? now":
        - text: How much is a baguette?
        - time: now
      - 'button "Rename: How much is a baguette?"'
      - 'button "Delete: How much is a baguette?"'
  - separator
  - button "Download my data"
  - link "Open in its own page (opens in a new window)":
    - /url: EDGE/c/plain-demo
  - button "Erase everything about me"`,
  form: `
- form "Before we start":
  - heading "Before we start" [level=3]
  - paragraph: We answer by mail when nobody is here.
  - text: E-mail
  - textbox "E-mail"
  - text: Topic
  - combobox "Topic":
    - option [selected]
    - option "Bread"
    - option "Cakes"
  - text: Anything else
  - textbox "Anything else"
  - checkbox "I agree"
  - text: I agree
  - button "Send"`,
};

describe("screen readers read", () => {
  const FORM = {
    title: { en: "Before we start" },
    text: { en: "We answer by mail when nobody is here." },
    fields: [
      { name: "mail", label: { en: "E-mail" }, kind: "email", required: true },
      { name: "topic", label: { en: "Topic" }, kind: "select", required: false, options: { en: ["Bread", "Cakes"] } },
      { name: "note", label: { en: "Anything else" }, kind: "textarea", required: false },
    ],
    consent: { en: "I agree" },
    required: true,
  };
  const read = async (part, expected) => {
    // The announced text is removed after a while.
    await part.page().waitForFunction(() => [...document.querySelector("[data-bulle]").shadowRoot.querySelectorAll("[role=status]")].every((node) => !node.textContent));
    const tree = await part.ariaSnapshot();
    assert.equal(tree.replace(/\b\d\d:\d\d\b/g, "TIME").replaceAll(edge.site, "SITE").replaceAll(edge.url, "EDGE"), expected.trim());
  };
  /** Roles that the browser itself passes to screen readers. */
  const roles = async ({ page, context }) => {
    const client = await context.newCDPSession(page);
    const { nodes } = await client.send("Accessibility.getFullAXTree");
    return nodes.filter(({ ignored }) => !ignored).map(({ role }) => role.value);
  };

  test("an empty conversation", async () => {
    const visitor = await visit(VIEWS.desktop);
    await visitor.bubble.log.getByText("I can help with").waitFor();
    await read(visitor.bubble.dialog, TREES.empty);
  });

  test("an answer with its sources, and what can be done with it", async () => {
    const visitor = await visit(VIEWS.desktop);
    upstream.behave = (response) => stream(response, answer(["The **baguette** costs €1.30 [1].\n\n", "```js\nbuy();\n```\n\n", "The end."]));
    await talk(visitor, QUESTION, "The end.");
    await visitor.bubble.log.locator("summary").click();
    await read(visitor.bubble.dialog, TREES.answered);
  });

  test("the menu, and nothing of what is behind it", async () => {
    const visitor = await visit(VIEWS.desktop);
    await talk(visitor);
    assert.ok((await roles(visitor)).includes("log"));
    await visitor.button("Menu", { exact: true }).click();
    const menu = visitor.bubble.dialog.getByRole("region", { name: "Menu" });
    await menu.getByText(QUESTION).first().waitFor();
    await read(menu, TREES.menu);
    const left = await roles(visitor);
    assert.ok(left.includes("region") && !left.includes("log"), left.join());
  });

  test("a form with its labels", async () => {
    const visitor = await visit({ ...VIEWS.desktop, settings: { form: FORM, privacy_url: "https://example.com/privacy" } });
    await visitor.bubble.dialog.getByRole("form").waitFor();
    await read(visitor.bubble.dialog.getByRole("form"), TREES.form);
  });
});

test("nothing moves for visitors who want less motion: while it loads, thinks, writes and has written", async () => {
  const moving = (page) =>
    page.evaluate(() => {
      const root = document.querySelector("[data-bulle]").shadowRoot;
      return [...document.getAnimations(), ...root.getAnimations()].map(({ effect }) => effect.target.className);
    });
  const { page, bubble } = await visit({ ...VIEWS.desktop, reducedMotion: "reduce", open: false });
  let release;
  const session = new Promise((resolve) => (release = resolve));
  await page.route("**/v1/sessions", async (route) => {
    await session;
    await route.continue();
  });
  await bubble.launcher.click();
  await page.locator("[data-bulle] .body .wait").waitFor();
  assert.deepEqual(await moving(page), []);
  release();
  await bubble.input.waitFor();
  const go = {};
  const [first, rest] = ["first", "rest"].map((name) => new Promise((resolve) => (go[name] = resolve)));
  upstream.behave = async (response) => {
    const parts = answer(["It is being written. ", "The end."]);
    await first;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(parts[0]);
    await rest;
    response.end(parts.slice(1).join(""));
  };
  await bubble.ask(QUESTION);
  await bubble.log.getByText("Boulangerie Nord is writing").waitFor();
  assert.deepEqual(await moving(page), []);
  go.first();
  await bubble.log.getByText("It is being written.").waitFor();
  assert.deepEqual(await moving(page), []);
  go.rest();
  await bubble.log.getByText("The end.").waitFor();
  await bubble.settled();
  assert.deepEqual(await moving(page), []);
});

/** Text of the panel that is cut off: wider than its box, or outside of the panel's sides. */
const cutOff = (page) =>
  page.evaluate(() => {
    const panel = document.querySelector("[data-bulle]").shadowRoot.querySelector(".panel");
    const { left, right } = panel.getBoundingClientRect();
    return [...panel.querySelectorAll("*")]
      .filter((node) => node.checkVisibility() && !node.closest(".sr, pre, .wide, svg, [aria-hidden=true]"))
      .filter((node) => {
        const box = node.getBoundingClientRect();
        const hides = getComputedStyle(node).overflowX !== "visible" && node.scrollWidth > node.clientWidth + 1;
        return hides || box.left < left - 1 || box.right > right + 1;
      })
      .map((node) => `${node.tagName}.${node.className}: ${node.textContent.slice(0, 60)}`);
  });

for (const name of ["desktop", "forced", "zoom"]) {
  describe(name, () => {
    test("an answered conversation has no violation, and no text is cut off", async () => {
      const { page, bubble } = await visit(VIEWS[name]);
      upstream.behave = (response) => stream(response, answer(MIXED));
      await talk({ bubble }, QUESTION, "The end.");
      await bubble.log.locator("summary").click();
      for (const part of [0, 0.5, 1]) {
        await bubble.log.evaluate((log, part) => log.scrollTo(0, part * log.scrollHeight), part);
        await picture(page, `assistive-${name}-${part}`);
      }
      assert.deepEqual(await faults(page), []);
      assert.deepEqual(await cutOff(page), []);
      // Every word and every tool can be scrolled into view.
      assert.ok(await bubble.log.evaluate((log) => log.clientHeight > 60), "there is room to read");
      await bubble.log.getByRole("button", { name: "Good answer" }).click();
      assert.equal(await bubble.log.getByRole("button", { name: "Good answer" }).getAttribute("aria-pressed"), "true");
    });

    test("code that cannot be loaded has no violation, and no text is cut off", async () => {
      const { page, bubble } = await visit({ ...VIEWS[name], open: false });
      await page.route("**/a/**", (route) => route.abort());
      await bubble.launcher.click();
      await bubble.retry.waitFor();
      await picture(page, `assistive-${name}-failed`);
      assert.deepEqual(await faults(page), []);
      assert.deepEqual(await cutOff(page), []);
    });
  });
}
