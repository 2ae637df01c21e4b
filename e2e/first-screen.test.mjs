// What a visitor sees before the first message and where an answer ends: that a program answers, questions to begin with,
// shortcuts; the page's colour scheme; the places of lines, tails and sources.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { picture, violations } from "./support/browser.mjs";
import { PANEL, VIEWS, faults, isFocused, modules, talk, visit } from "./support/fixture.mjs";
import { host, open, tag } from "./support/host-page.mjs";
import { newOwner, settled, uploaded } from "./support/knowledge.mjs";
import { edge, start } from "./support/start.mjs";

start();

const en = (text) => ({ en: text });
const DISCLOSURE = "You are chatting with an AI program, not a person.";
const DISCLAIMER = "Automatic answers can be wrong: check what matters.";
const FORM = { title: en("Leave a message"), fields: [{ name: "email", label: en("E-mail"), kind: "email", required: true }] };
const SHORTCUTS = [
  { ask: en("Do you deliver?") },
  { label: en("Prices"), url: "https://example.com/prices" },
  { tel: "+33 (0)1 23 45 67 89" },
  { mail: "hello@example.com" },
  { form: true },
];
/** No document of the bakery answers it. */
const UNKNOWN = "What is the capital of Australia?";

const shadow = (page, selector) => page.locator(`[data-bulle] ${selector}`);

describe("a bot without questions of its own", () => {
  test("offers some about its documents as soon as it has read them, and answers them", async () => {
    const owner = await newOwner(edge);
    const { page } = await open(`${edge.url}/c/${owner.site.key}`);
    const region = page.getByRole("region");
    await region.getByText(DISCLOSURE).waitFor();
    assert.equal(await region.locator(".chip").count(), 0);
    const source = await uploaded(
      owner,
      "rental.md",
      "# Renting a bicycle\n\n## Deposit\n\nThe deposit is 200 euros for each bicycle.\n\n## How long can I keep it?\n\nYou can keep a bicycle for up to 30 days.\n",
      { type: "text/markdown" },
    );
    await settled(owner, source.id);
    await page.reload();
    await region.locator(".chip").first().waitFor();
    const chips = await region.locator(".chip").allInnerTexts();
    assert.deepEqual(chips, ["How long can I keep it?", "What can you tell me about “Renting a bicycle – Deposit”?"]);
    await region.getByRole("button", { name: chips[1] }).click();
    await region.getByText("200 euros").first().waitFor();
    await picture(page, "first-screen-starters");
  });
});

describe("a program answers", () => {
  test("a visitor reads it before the first message, with the privacy page, and the composer stays in its place", async () => {
    const { page, bubble, seen } = await visit({ settings: { privacy_url: "https://example.com/privacy" } });
    const link = bubble.log.getByRole("link", { name: "Privacy (opens in a new window)" });
    await bubble.log.getByText(DISCLOSURE).waitFor();
    assert.equal(await link.getAttribute("href"), "https://example.com/privacy");
    const before = await bubble.input.boundingBox();
    await bubble.dialog.getByText(DISCLAIMER).waitFor();
    assert.deepEqual(await faults(page), []);
    await picture(page, "first-screen-disclosure");
    await talk({ bubble });
    assert.deepEqual(await bubble.input.boundingBox(), before);
    await bubble.dialog.getByText(DISCLAIMER).waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("an owner may hide it, or say it in other words", async () => {
    const own = await visit({ settings: { texts: { en: { disclosure: "Our robot answers here." } } } });
    await own.bubble.log.getByText("Our robot answers here.").waitFor();
    const hidden = await visit({ settings: { disclosure: "hidden" } });
    await hidden.bubble.log.locator(".chip").first().waitFor();
    assert.equal(await hidden.bubble.log.getByText(DISCLOSURE).count(), 0);
    await visit({ settings: { disclosure: "shown" } });
  });
});

test("a picture of the owner's stands in place of the letter", async () => {
  const avatar = `${edge.url}/c/plain-demo/icon.svg`;
  const { page } = await visit({ settings: { theme: { avatar } } });
  const letter = shadow(page, ".avatar");
  assert.equal(await letter.evaluate((node) => getComputedStyle(node, "::after").backgroundImage), `url("${avatar}")`);
  assert.equal(await letter.innerText(), "B");
  await picture(page, "first-screen-avatar");
  await visit({ settings: { theme: { avatar: null } } });
});

describe("shortcuts", () => {
  for (const name of ["desktop", "phone", "dark", "rtl"]) {
    test(`${name}: ask, open a page, call, write, and open the form`, async () => {
      const { page, bubble, seen } = await visit({ ...VIEWS[name], settings: { shortcuts: SHORTCUTS, form: FORM } });
      const list = bubble.log.locator(".shortcuts:not(.reach)");
      await list.waitFor();
      const links = await list.locator("a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
      assert.deepEqual(links, ["https://example.com/prices", "tel:+33123456789", "mailto:hello@example.com"]);
      assert.equal(await bubble.dialog.getByRole("form").count(), 0);
      assert.deepEqual(await faults(page), []);
      await picture(page, `first-screen-shortcuts-${name}`);
      await list.getByRole("button", { name: "Leave a message" }).click();
      const form = bubble.dialog.getByRole("form", { name: "Leave a message" });
      await form.waitFor();
      assert.ok(await isFocused(form.getByRole("textbox")));
      await form.getByRole("button").last().click();
      await form.waitFor({ state: "detached" });
      await list.getByRole("button", { name: "Do you deliver?" }).click();
      await bubble.log.getByText("cargo bike").first().waitFor();
      assert.ok(!(await list.isVisible()));
      assert.deepEqual(seen.errors, []);
    });
  }

  test("an answer that does not answer offers those that lead to a person", async () => {
    const { page, bubble } = await visit({ settings: { shortcuts: SHORTCUTS, form: FORM } });
    await bubble.log.locator(".shortcuts").waitFor();
    await bubble.ask(UNKNOWN);
    const reach = bubble.log.locator(".reach");
    await reach.waitFor();
    assert.deepEqual(await reach.getByRole("listitem").allInnerTexts(), ["Call us", "Write us an e-mail", "Leave a message"]);
    // Below the answer and above the next questions, also when the answer came all at once.
    const order = await bubble.log.evaluate((log) => [...log.children].slice(-3).map((node) => ["theirs", "reach", "next"].find((name) => node.classList.contains(name))));
    assert.deepEqual(order, ["theirs", "reach", "next"]);
    assert.deepEqual(await faults(page), []);
    await picture(page, "first-screen-refusal");
    await reach.getByRole("button", { name: "Leave a message" }).click();
    await bubble.dialog.getByRole("form").getByRole("button").last().click();
    await talk({ bubble });
    assert.equal(await reach.count(), 0);
  });

  test("a form without a shortcut is offered there, too, until it is sent", async () => {
    const { page, bubble, seen } = await visit({ settings: { form: FORM } });
    const form = bubble.dialog.getByRole("form", { name: "Leave a message" });
    await form.getByRole("button").last().click();
    await bubble.ask(UNKNOWN);
    const reach = bubble.log.locator(".reach");
    await reach.getByRole("button", { name: "Leave a message" }).click();
    await form.getByRole("textbox").fill("ada@example.com");
    await form.getByRole("button").first().click();
    await reach.getByText(PANEL.form_sent).waitFor();
    assert.deepEqual(await reach.getByRole("button").count(), 0);
    assert.deepEqual(await faults(page), []);
    await picture(page, "first-screen-form-sent");
    await bubble.ask("What is the capital of Peru?");
    await bubble.log.locator(".msg.theirs time").nth(1).waitFor();
    assert.equal(await reach.count(), 0);
    assert.deepEqual(seen.errors, []);
  });

  test("a bot without shortcuts and form loads no code for them", async () => {
    const loaded = async (shortcuts, last) => {
      const { page, seen, bubble } = await visit({ settings: { shortcuts } });
      await bubble.log.locator(last).first().waitFor();
      await page.waitForLoadState("networkidle");
      return modules(seen);
    };
    const without = await loaded([], ".chip");
    assert.equal(await loaded(SHORTCUTS.slice(0, 4), ".shortcuts"), without + 1);
  });
});

describe("the scheme `auto` is the page's", () => {
  const DECLARED = '<meta name="color-scheme" content="light dark">';
  const style = (css) => `<style>${css}</style>`;
  for (const [name, head, inLight, inDark] of [
    ["nothing", "", "light", "light"],
    ["a light background", style("body{background:#fafafa}"), "light", "light"],
    ["a dark background", style("html{background:#101318}"), "dark", "dark"],
    ["a dark background in oklch", style("body{background:oklch(0.2 0.02 250)}"), "dark", "dark"],
    ["a light background in a wide gamut", style("body{background:color(display-p3 0.98 0.97 0.95)}"), "light", "light"],
    ["both schemes, in a meta element", DECLARED, "light", "dark"],
    ["both schemes, in CSS", style(":root{color-scheme:light dark}"), "light", "dark"],
    ["dark only", style(":root{color-scheme:dark}"), "dark", "dark"],
    ["a background that follows the system", style("body{background:#fff}@media(prefers-color-scheme:dark){body{background:#111}}"), "light", "dark"],
  ]) {
    test(`of a page with ${name}`, async () => {
      const { page, bubble } = await host(`${head}${tag()}`, { path: "/scheme-of-page", colorScheme: "light" });
      await bubble.open();
      const scheme = () => bubble.dialog.evaluate((node) => getComputedStyle(node).colorScheme);
      assert.equal(await scheme(), inLight);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.waitForFunction((wanted) => getComputedStyle(document.querySelector("[data-bulle]").shadowRoot.querySelector(".panel")).colorScheme === wanted, inDark);
    });
  }

  test("a page with a switch is looked at whenever the panel opens", async () => {
    const { page, bubble } = await host(tag(), { path: "/scheme-switch" });
    await bubble.open();
    const scheme = () => bubble.dialog.evaluate((node) => getComputedStyle(node).colorScheme);
    assert.equal(await scheme(), "light");
    await page.keyboard.press("Escape");
    await page.evaluate(() => (document.body.style.background = "#000"));
    await bubble.launcher.click();
    assert.equal(await scheme(), "dark");
  });
});

describe("places", () => {
  test("the hosted page has lines of a readable length in a wide window", async () => {
    const { page } = await open(`${edge.url}/c/plain-demo`, { viewport: { width: 1600, height: 900 }, bypassCSP: true });
    const region = page.getByRole("region");
    await region.getByRole("textbox").waitFor();
    for (const part of [".field", ".text", ".avatar"]) {
      const box = await region.locator(part).first().boundingBox();
      assert.ok(box.x >= 439 && box.x + box.width <= 1161, `${part}: ${JSON.stringify(box)}`);
    }
    assert.deepEqual(await violations(page), []);
    await picture(page, "first-screen-hosted");
  });

  test("tails are on the panel's side, whatever the direction of the text", async () => {
    for (const [view, theirs, ours] of [["desktop", "bottomLeft", "bottomRight"], ["rtl", "bottomRight", "bottomLeft"]]) {
      const visitor = await visit({ ...VIEWS[view] });
      await talk(visitor);
      for (const [selector, corner] of [[".text", theirs], [".bubble", ours]]) {
        const radii = await shadow(visitor.page, selector).last().evaluate((node) => {
          const { borderBottomLeftRadius: bottomLeft, borderBottomRightRadius: bottomRight } = getComputedStyle(node);
          return { bottomLeft, bottomRight };
        });
        assert.equal(radii[corner], "6px", `${view} ${selector}: ${JSON.stringify(radii)}`);
      }
    }
  });

  test("sources that are opened at the bottom are scrolled into view", async () => {
    const visitor = await visit({ viewport: { width: 1280, height: 500 } });
    const { page, bubble } = visitor;
    await talk(visitor, "Do you deliver?", "cargo bike");
    await bubble.log.evaluate((log) => log.scrollTo(0, log.scrollHeight));
    await bubble.log.locator("summary").last().click();
    await page.waitForFunction(() => {
      const root = document.querySelector("[data-bulle]").shadowRoot;
      const [view, title] = [".log", "details[open] summary"].map((one) => root.querySelector(one).getBoundingClientRect());
      const last = root.querySelector("details[open] li").getBoundingClientRect();
      return title.top >= view.top - 1 && last.top < view.bottom - 20;
    });
  });

  test("questions and topics look alike", async () => {
    const { bubble } = await visit();
    await bubble.log.locator(".topics .chip").first().waitFor();
    const looks = await bubble.log.locator(".chip").evaluateAll((chips) =>
      chips.map((chip) => ["color", "backgroundColor", "borderTopColor", "fontSize", "fontWeight"].map((name) => getComputedStyle(chip)[name]).join()),
    );
    assert.equal(looks.length, 6);
    assert.equal(new Set(looks).size, 1, looks.join("\n"));
  });

  test("the time and the buttons of a short answer are lower than its words", async () => {
    const visitor = await visit();
    await talk(visitor);
    const height = async (selector) => (await shadow(visitor.page, selector).last().boundingBox()).height;
    const [all, words] = [await height(".msg.theirs"), await height(".msg.theirs .text")];
    assert.ok(all - words < words, `${words} of ${all} pixels are words`);
    assert.equal(await visitor.bubble.log.locator(".mine time").count(), 0);
  });

  test("a tagline of two lines is shown whole", async () => {
    const tagline = "Bread, pastries and answers to your questions";
    const { bubble } = await host(tag(`async data-tagline="${tagline}"`), { path: "/tagline" });
    await bubble.open();
    const line = bubble.dialog.getByText(tagline);
    const isWhole = await line.evaluate((node) => node.scrollHeight <= node.clientHeight + 1 && node.scrollWidth <= node.clientWidth + 1);
    assert.ok(isWhole);
  });
});
