// Theming by owners: every attribute, method and part of docs/embedding.md, checked where it shows, in light and dark.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { picture } from "./support/browser.mjs";
import { ROOT } from "./support/edge.mjs";
import { ANSWER, QUESTION, host, tag } from "./support/host-page.mjs";
import { start } from "./support/start.mjs";

start();

const DOCS = readFileSync(`${ROOT}/docs/embedding.md`, "utf8");
/** `auto` is dark where the page can be. */
const BOTH = '<meta name="color-scheme" content="light dark">';
const VIEWPORT = { width: 1280, height: 1000 };

/** Attributes without `data-`, each with its value and its visible effect: [selector, property, value]. */
const LOOKS = {
  accent: ["#006400", [".launcher", "backgroundColor", "rgb(0, 100, 0)"], [".bubble", "backgroundColor", "rgb(0, 100, 0)"], [".avatar", "backgroundColor", "rgb(0, 100, 0)"]],
  "on-accent": ["#ffff00", [".launcher", "color", "rgb(255, 255, 0)"], [".bubble", "color", "rgb(255, 255, 0)"], [".avatar", "color", "rgb(255, 255, 0)"]],
  radius: ["7px", [".panel", "borderRadius", "7px"]],
  bottom: ["33px", [".launcher", "bottom", "33px"], [".panel", "bottom", "121px"]],
  side: ["44px", [".launcher", "right", "44px"], [".panel", "right", "44px"]],
  width: ["355px", [".panel", "width", "355px"]],
  height: ["444px", [".panel", "height", "444px"]],
  launcher: ["72px", [".launcher", "height", "72px"], [".launcher", "width", "72px"]],
  z: ["77", [".launcher", "zIndex", "77"], [".panel", "zIndex", "78"]],
  font: ["monospace", [".panel", "fontFamily", "monospace"], ["textarea", "fontFamily", "monospace"], [".chip", "fontFamily", "monospace"]],
};
const COLOURS = {
  bg: ["#fafad2", [".panel", "backgroundColor", "rgb(250, 250, 210)"]],
  soft: ["#ffe4e1", [".text", "backgroundColor", "rgb(255, 228, 225)"], [".field", "backgroundColor", "rgb(255, 228, 225)"]],
  line: ["#00ced1", [".panel", "borderTopColor", "rgb(0, 206, 209)"], [".header", "borderBottomColor", "rgb(0, 206, 209)"]],
  text: ["#191970", [".panel", "color", "rgb(25, 25, 112)"], [".text", "color", "rgb(25, 25, 112)"]],
  muted: ["#4b0082", [".names p", "color", "rgb(75, 0, 130)"]],
  danger: ["#8b0000", [".frame", "--danger", "#8b0000"]],
};
const DARK = {
  "dark-bg": ["#102030", [".panel", "backgroundColor", "rgb(16, 32, 48)"]],
  "dark-soft": ["#203040", [".text", "backgroundColor", "rgb(32, 48, 64)"], [".field", "backgroundColor", "rgb(32, 48, 64)"]],
  "dark-line": ["#708090", [".panel", "borderTopColor", "rgb(112, 128, 144)"], [".header", "borderBottomColor", "rgb(112, 128, 144)"]],
  "dark-text": ["#f0fff0", [".panel", "color", "rgb(240, 255, 240)"], [".text", "color", "rgb(240, 255, 240)"]],
  "dark-muted": ["#d8bfd8", [".names p", "color", "rgb(216, 191, 216)"]],
  "dark-danger": ["#ff7f7f", [".frame", "--danger", "#ff7f7f"]],
};
const ALL = { ...LOOKS, ...COLOURS, ...DARK };
/** Attributes that are not custom properties. */
const OTHERS = ["scheme", "position", "size", "name", "tagline", "label"];
/** Attributes that other files test: owner-api, strict, ways. */
const ELSEWHERE = ["greeting", "text-NAME", "locale", "identity", "frame"];

test("every attribute of the documentation is looked at", () => {
  const table = DOCS.slice(DOCS.indexOf("### Attributes"), DOCS.indexOf("In CSS the same"));
  const rows = [...table.matchAll(/^\| (`.*?) \|/gm)].map(([, names]) => [...names.matchAll(/`(.*?)`/g)].map(([, name]) => name));
  const names = rows.flat().map((name) => name.replace(/^data-|^-/g, ""));
  const documented = names.flatMap((name) => (name === "dark-" ? Object.keys(COLOURS).map((colour) => name + colour) : [name]));
  assert.deepEqual(documented.sort(), [...Object.keys(ALL), ...OTHERS, ...ELSEWHERE].sort());
});

/** Opens the panel and gets an answer, so that all tested elements exist; the suggestions are checked first. */
async function answered({ bubble }, selectors) {
  await bubble.open();
  await bubble.log.getByRole("listitem").first().waitFor();
  const early = await seen(bubble, selectors.filter(([selector]) => selector === ".chip"));
  await bubble.ask(QUESTION);
  await bubble.log.getByText(ANSWER).first().waitFor();
  await bubble.settled();
  return [...early, ...(await seen(bubble, selectors.filter(([selector]) => selector !== ".chip")))];
}

/** The computed styles. */
const seen = (bubble, wanted) =>
  bubble.page.locator("[data-bulle]").evaluate(
    (host, wanted) =>
      wanted.map(([selector, property]) => {
        const style = getComputedStyle(host.shadowRoot.querySelector(selector));
        return [selector, property, style[property] ?? style.getPropertyValue(property)];
      }),
    wanted,
  );

const sorted = (list) => list.map((entry) => entry.join(" ")).sort();
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** The ways to set the theme, from the weakest to the strongest. */
const WAYS = {
  "the tag": { more: Object.entries(ALL).map(([name, [value]]) => `data-${name}="${value}"`).join(" ") },
  "the owner's API": { call: Object.fromEntries(Object.entries(ALL).map(([name, [value]]) => [camel(name), value])) },
  "the page's CSS": { head: `<style>[data-bulle]{${Object.entries(ALL).map(([name, [value]]) => `--bulle-${name}:${value}`).join(";")}}</style>` },
};

for (const scheme of ["light", "dark"]) {
  for (const [name, { more = "", head = "", call }] of Object.entries(WAYS)) {
    test(`${scheme}: ${name} says how the bubble looks`, async () => {
      const visitor = await host(`${BOTH}${head}${tag(`async ${more}`)}`, { path: "/looks", viewport: VIEWPORT, colorScheme: scheme });
      await visitor.bubble.launcher.waitFor();
      if (call) await visitor.page.evaluate((look) => Bulle["plain-demo"].setTheme(look), call);
      const wanted = Object.values({ ...LOOKS, ...(scheme === "dark" ? DARK : COLOURS) }).flatMap(([, ...seen]) => seen);
      const launcher = wanted.filter(([selector]) => selector === ".launcher");
      // The launcher has the theme before the code is loaded.
      assert.deepEqual(sorted(await seen(visitor.bubble, launcher)), sorted(launcher));
      assert.deepEqual(sorted(await answered(visitor, wanted)), sorted(wanted));
      if (call) await picture(visitor.page, `looks-${scheme}`);
    });
  }

  test(`${scheme}: what nobody has said is as it is by itself, whatever the page looks like`, async () => {
    const css = "<style>*{color:#f00!important;background:#0f0!important;font-family:fantasy!important}</style>";
    const plain = await host(tag(), { path: "/plain", viewport: VIEWPORT, colorScheme: scheme });
    const wanted = Object.values(ALL).flatMap(([, ...seen]) => seen);
    const expected = await answered(plain, wanted);
    const { bubble } = await host(`${css}${tag()}`, { path: "/loud", viewport: VIEWPORT, colorScheme: scheme });
    assert.deepEqual(sorted(await answered({ bubble }, wanted)), sorted(expected));
  });

  test(`${scheme}: every part of the documentation takes the page's style`, async () => {
    const parts = [.../^Parts are (.*)\.$/m.exec(DOCS)[1].matchAll(/`(\w+)`/g)].map(([, part]) => part);
    assert.equal(parts.length, 8);
    const rules = parts.map((part, at) => `[data-bulle]::part(${part}){border:${at + 2}px dotted rgb(${at} 2 3);border-radius:${at}px;color:rgb(1 2 ${at})}`);
    const visitor = await host(`<style>${rules.join("")}</style>${tag()}`, { path: "/parts", viewport: VIEWPORT, colorScheme: scheme });
    const wanted = parts.flatMap((part, at) => {
      const selector = part === "chip" ? ".chip" : `[part~=${part}]`;
      const values = { borderTopWidth: `${at + 2}px`, borderTopStyle: "dotted", borderTopColor: `rgb(${at}, 2, 3)`, borderTopLeftRadius: `${at}px`, color: `rgb(1, 2, ${at})` };
      return Object.entries(values).map(([property, value]) => [selector, property, value]);
    });
    assert.deepEqual(sorted(await answered(visitor, wanted)), sorted(wanted));
  });

  test(`${scheme}: the scheme of the tag is stronger than the browser's`, async () => {
    const other = scheme === "dark" ? "light" : "dark";
    const { bubble } = await host(tag(`async data-scheme="${scheme}" data-bg="#fafad2" data-dark-bg="#102030"`), { path: "/scheme", colorScheme: other });
    await bubble.open();
    const [, , colour] = (await seen(bubble, [[".panel", "backgroundColor"]]))[0];
    assert.equal(colour, scheme === "dark" ? "rgb(16, 32, 48)" : "rgb(250, 250, 210)");
    assert.equal(await bubble.dialog.evaluate((node) => getComputedStyle(node).colorScheme), scheme);
  });
}

describe("three sizes", () => {
  for (const [size, launcher, width, height] of [["compact", 52, 357, 609], ["regular", 60, 410, 700], ["large", 70, 476, 812]]) {
    test(size, async () => {
      const { page, bubble } = await host(tag(`async data-size="${size}"`), { path: "/size", viewport: VIEWPORT });
      const box = (locator) => locator.boundingBox().then(({ width, height }) => [width, height].map(Math.round));
      assert.deepEqual(await box(bubble.launcher), [launcher, launcher]);
      await bubble.open();
      assert.deepEqual(await box(bubble.dialog), [width, height]);
      await picture(page, `size-${size}`);
      // The panel stays inside a small window.
      await page.setViewportSize({ width: 500, height: 650 });
      const { x, y, width: wide, height: high } = await bubble.dialog.boundingBox();
      assert.ok(x >= 0 && y >= 0 && x + wide <= 500 && y + high <= 650);
    });
  }
});

test("words of the tag stand in the header and on the launcher, and the left is the left", async () => {
  const { page, bubble } = await host(tag(`async data-name="Bread & Co" data-tagline="We bake" data-label="Ask us" data-position="left"`), { path: "/words", viewport: VIEWPORT });
  const launcher = page.getByRole("button", { name: "Ask us" });
  assert.match(await launcher.innerText(), /Ask us/);
  assert.equal((await launcher.boundingBox()).x, 20);
  await launcher.click();
  await bubble.input.waitFor();
  const dialog = page.getByRole("dialog", { name: "Bread & Co" });
  await dialog.getByRole("heading", { name: "Bread & Co" }).waitFor();
  await dialog.getByText("We bake").waitFor();
  assert.equal((await dialog.boundingBox()).x, 20);
  await picture(page, "words");
});
