// Every language of the bubble, as browsers ask for it: the texts, their plural forms, and the bubble itself.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { ROOT } from "./support/edge.mjs";
import { picture, violations, watch } from "./support/browser.mjs";
import { browser, edge, start } from "./support/start.mjs";

const FOLDER = `${ROOT}/protocol/locales`;
const FROM_THE_RIGHT = ["ar", "he"];
const texts = {};
for (const file of await readdir(FOLDER)) {
  texts[file.replace(".json", "")] = JSON.parse(await readFile(`${FOLDER}/${file}`, "utf8"));
}
const locales = Object.keys(texts);

start();

test("plural texts have the categories of their language", () => {
  assert.equal(locales.length, 15);
  for (const locale of locales) {
    const expected = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    let seen = 0;
    for (const [section, list] of Object.entries(texts[locale])) {
      for (const [name, text] of Object.entries(list)) {
        if (!text.includes("other=")) continue;
        seen += 1;
        const categories = text.split("|").map((form) => form.slice(0, form.indexOf("=")));
        assert.deepEqual(categories.toSorted(), expected.toSorted(), `${locale}: ${section}.${name}`);
      }
    }
    assert.ok(seen > 0, locale);
  }
});

describe("GET /v1/strings", () => {
  test("has the sheets of every language, for every page and for an hour", async () => {
    for (const locale of locales) {
      const response = await fetch(`${edge.url}/v1/strings/${locale}`, { headers: { origin: "https://anywhere.example" } });
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { locale, strings: texts[locale].panel });
      const header = (name) => response.headers.get(name);
      assert.equal(header("content-type"), "application/json");
      assert.equal(header("cache-control"), "public, max-age=3600");
      assert.equal(header("access-control-allow-origin"), "*");
      assert.equal(header("cross-origin-resource-policy"), "cross-origin");
    }
  });

  test("says which language is nearest to one that is not there", async () => {
    for (const [asked, locale] of Object.entries({
      "zh-TW": "zh", "zh-Hant": "zh", "pt-BR": "pt", iw: "he", nb: "en", xx: "en", "fr-CA": "fr", DE_at: "de", "%F0%9F%90%9F": "en",
    })) {
      const answer = await (await fetch(`${edge.url}/v1/strings/${asked}`)).json();
      assert.deepEqual([answer.locale, answer.strings.back], [locale, texts[locale].panel.back], asked);
    }
  });

  test("is read and nothing else", async () => {
    assert.equal((await fetch(`${edge.url}/v1/strings/fr`, { method: "POST" })).status, 405);
    assert.equal((await fetch(`${edge.url}/v1/strings/`)).status, 404);
    assert.equal((await fetch(`${edge.url}/v1/strings/%FF`)).status, 400);
  });
});

for (const locale of locales) {
  test(`the bubble speaks ${locale}`, async () => {
    const context = await browser.newContext({ locale, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const seen = watch(page);
    const { bubble } = texts[locale];
    await page.goto(`${edge.site}/plain/`);
    await page.getByRole("button", { name: bubble.open, exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").waitFor();
    await dialog.getByRole("button", { name: bubble.send, exact: true }).waitFor();
    await dialog.getByText(bubble.disclaimer).waitFor();
    const host = page.locator("[data-bulle]");
    assert.equal(await host.getAttribute("lang"), locale);
    assert.equal(await host.getAttribute("dir"), FROM_THE_RIGHT.includes(locale) ? "rtl" : "ltr");
    const overflows = await dialog.evaluate((panel) => panel.scrollWidth > panel.clientWidth);
    assert.equal(overflows, false, "nothing is wider than the panel");
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(seen.errors, []);
    await picture(page, `locale-${locale}`);
    await context.close();
  });
}
