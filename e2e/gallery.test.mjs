// The states of the bubble in light, dark, right to left and on a phone, and of the hosted page in a wide window: no
// accessibility violation, no error, and the same pictures as at the last review.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { ROOT } from "./support/edge.mjs";
import { violations, watch } from "./support/browser.mjs";
import { differences, fingerprint, sheet } from "./support/pictures.mjs";
import { browser, edge, start } from "./support/start.mjs";
import { STATES } from "../examples/gallery/states.js";

const FOLDER = `${ROOT}/docs/gallery`;
const DATA = `${ROOT}/e2e/gallery.json`;
/** Writes changed pictures into e2e/gallery.json, and draws its sheets anew, instead of comparing. */
const BLESS = process.env.BLESS === "1";
/** Pictures that the README shows separately. */
const ALONE = ["light-empty", "light-answer", "dark-code", "rtl-sources", "phone-menu"];

const LOOKS = {
  light: { options: { viewport: { width: 520, height: 780 } }, query: {} },
  dark: { options: { viewport: { width: 520, height: 780 }, colorScheme: "dark" }, query: { scheme: "dark" } },
  rtl: { options: { viewport: { width: 520, height: 780 } }, query: { locale: "ar" } },
  phone: { options: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }, query: {} },
  wide: { options: { viewport: { width: 1280, height: 780 } }, query: {} },
  "wide-dark": { options: { viewport: { width: 1280, height: 780 }, colorScheme: "dark" }, query: { scheme: "dark" } },
};
/** The hosted page has looks of its own. */
const isWide = (look) => look.startsWith("wide");
const COMMON = Object.keys(LOOKS).filter((look) => !isWide(look));

/** Every state in every look; otherwise each in one of them. */
const WHOLE = BLESS || process.env.BULLE_WHOLE === "1";

start();
before(() => Promise.all([FOLDER, `${ROOT}/e2e/output`].map((folder) => mkdir(folder, { recursive: true }))));

/** The fingerprints of the pictures at the last review, and of the letters of the machine that drew them. */
const known = JSON.parse(await readFile(DATA, "utf8").catch(() => '{"pictures":{}}'));
/** With BLESS: the new test data, the pictures by look and state, and the names of those that have changed. */
let blessed;
const shots = {};
const changed = new Set();
/** An empty page, in which pictures are measured. */
let lab;

/** The fingerprint of letters on this machine: pictures can only be compared where letters are drawn alike. */
const drawn = (page) =>
  page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d");
    const width = (font, text) => ((context.font = font), context.measureText(text).width.toFixed(2));
    const fonts = ["15px system-ui", "600 16px system-ui", "13px ui-monospace"];
    return fonts.flatMap((font) => [width(font, "The quick brown fox 0123"), width(font, "سعر رغيف الباغيت")]).join(" ");
  });

for (const [n, [look, { options, query }]] of Object.entries(LOOKS).entries()) {
  describe(look, () => {
    for (const [at, state] of Object.keys(STATES).entries()) {
      if (isWide(look) !== !!STATES[state].hosted) continue;
      if (!WHOLE && !isWide(look) && at % COMMON.length !== n) continue;
      test(`${look}: ${state}`, async (t) => {
        const name = `${look}-${state}`;
        const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options });
        const page = await context.newPage();
        const seen = watch(page);
        await page.goto(`${edge.site}/gallery/state.html?${new URLSearchParams({ state, ...query })}`);
        await page.waitForFunction(() => "shown" in document.documentElement.dataset);
        // The list moves once more when an image has its size.
        await page.evaluate(() => Promise.allSettled(Array.from(document.querySelector("[data-bulle],bulle-chat").shadowRoot.querySelectorAll("img"), (image) => image.decode())));
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        // The blinking text cursor may be drawn or not, two frames later.
        await page.evaluate(() => document.querySelector("[data-bulle],bulle-chat").shadowRoot.activeElement?.blur());
        const shot = await page.screenshot({ animations: "disabled", caret: "hide" });
        // Errors that the test provokes are in the console.
        const expected = ["refused", "unavailable"].includes(state) ? seen.errors.filter((error) => !error.includes("[Bulle]")) : seen.errors;
        assert.deepEqual(expected, []);
        assert.deepEqual(await violations(page), []);
        const fonts = await drawn(page);
        lab ??= await browser.newPage();
        const isComparable = known.fonts === fonts;
        const picture = await fingerprint(lab, shot);
        const places = isComparable ? differences(picture, known.pictures[name]) : ["all of it"];
        if (BLESS) {
          shots[look] = { ...shots[look], [state]: shot };
          if (places.length > 0) changed.add(name);
          blessed = { fonts, pictures: { ...blessed?.pictures, [name]: places.length > 0 ? picture : known.pictures[name] } };
        } else if (!isComparable) {
          t.skip("this machine draws letters unlike the one of e2e/gallery.json: no violation and no error, but not compared");
        } else if (places.length > 0) {
          await writeFile(`${ROOT}/e2e/output/gallery-${name}.png`, shot);
          assert.fail(`e2e/output/gallery-${name}.png has changed at ${places.slice(0, 12).join(" ")}: look at it, and if it is meant, BLESS=1`);
        }
        await context.close();
      });
    }
  });
}

if (BLESS) {
  test("what has changed is written", async () => {
    await writeFile(DATA, `${JSON.stringify(blessed, null, 1)}\n`);
    for (const [look, states] of Object.entries(shots)) {
      if (Object.keys(states).some((state) => changed.has(`${look}-${state}`))) await writeFile(`${FOLDER}/${look}.png`, await sheet(lab, states));
    }
    for (const name of ALONE.filter((name) => changed.has(name))) {
      const [look, state] = name.split("-");
      await writeFile(`${FOLDER}/${name}.png`, shots[look][state]);
    }
  });
}
