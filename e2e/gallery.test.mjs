// The states of the bubble in light, dark, right to left and on a phone: no violation, no error, and the same looks as
// the pictures in docs/gallery.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { ROOT } from "./support/edge.mjs";
import { violations, watch } from "./support/browser.mjs";
import { browser, edge, start } from "./support/start.mjs";
import { STATES } from "../examples/gallery/states.js";

const FOLDER = `${ROOT}/docs/gallery`;
/** Draws those pictures anew that have changed, instead of comparing. */
const BLESS = process.env.BLESS === "1";
/** Part of a picture's pixels that may differ: 80 of them. One machine draws them all alike, and a word has more. */
const MOST = 0.0002;

const LOOKS = {
  light: { options: { viewport: { width: 520, height: 780 } }, query: {} },
  dark: { options: { viewport: { width: 520, height: 780 }, colorScheme: "dark" }, query: { scheme: "dark" } },
  rtl: { options: { viewport: { width: 520, height: 780 } }, query: { locale: "ar" } },
  phone: { options: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }, query: {} },
};

/** Every state in every look; otherwise each in one of them. */
const WHOLE = BLESS || process.env.BULLE_WHOLE === "1";

start();
before(() => Promise.all([FOLDER, `${ROOT}/e2e/output`].map((folder) => mkdir(folder, { recursive: true }))));
/** How this machine draws letters, once it has drawn the pictures. */
let drawnBy;
after(() => drawnBy && writeFile(`${FOLDER}/fonts.txt`, `${drawnBy}\n`));

/** How this machine draws letters: pictures are only comparable where they are drawn alike. */
const drawn = (page) =>
  page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d");
    const width = (font, text) => ((context.font = font), context.measureText(text).width.toFixed(2));
    const fonts = ["15px system-ui", "600 16px system-ui", "13px ui-monospace"];
    return fonts.flatMap((font) => [width(font, "The quick brown fox 0123"), width(font, "سعر رغيف الباغيت")]).join(" ");
  });

/** Part of the pixels that differ visibly between two PNG files; 1 when they are not of one size. */
const difference = (page, old, shot) =>
  page.evaluate(
    async ([old, shot]) => {
      const pixels = async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
        const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
        context.drawImage(image, 0, 0);
        return { size: `${image.width}×${image.height}`, data: context.getImageData(0, 0, image.width, image.height).data };
      };
      const [a, b] = [await pixels(old), await pixels(shot)];
      if (a.size !== b.size) return 1;
      let differ = 0;
      for (let at = 0; at < a.data.length; at += 4) {
        const by = Math.max(...[0, 1, 2].map((n) => Math.abs(a.data[at + n] - b.data[at + n])));
        if (by > 40) differ += 1;
      }
      return differ / (a.data.length / 4);
    },
    [old.toString("base64"), shot.toString("base64")],
  );

for (const [n, [look, { options, query }]] of Object.entries(LOOKS).entries()) {
  describe(look, () => {
    for (const [at, state] of Object.keys(STATES).entries()) {
      if (!WHOLE && at % Object.keys(LOOKS).length !== n) continue;
      test(`${look}: ${state}`, async (t) => {
        const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options });
        const page = await context.newPage();
        const seen = watch(page);
        await page.goto(`${edge.site}/gallery/state.html?${new URLSearchParams({ state, ...query })}`);
        await page.waitForFunction(() => "shown" in document.documentElement.dataset);
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        // Two frames later, a text cursor may be there or not.
        await page.evaluate(() => document.querySelector("[data-bulle]").shadowRoot.activeElement?.blur());
        const shot = await page.screenshot({ animations: "disabled", caret: "hide" });
        // Errors made on purpose are in the console.
        const expected = ["refused", "unavailable"].includes(state) ? seen.errors.filter((error) => !error.includes("[Bulle]")) : seen.errors;
        assert.deepEqual(expected, []);
        assert.deepEqual(await violations(page), []);
        const file = `${FOLDER}/${look}-${state}.png`;
        const fonts = await drawn(page);
        const isAlike = (await readFile(`${FOLDER}/fonts.txt`, "utf8").catch(() => "")).trim() === fonts;
        const old = await readFile(file).catch(() => undefined);
        const differs = !isAlike || !old ? 1 : await difference(page, old, shot);
        if (BLESS) {
          if (differs > MOST) await writeFile(file, shot);
          drawnBy = fonts;
        } else if (!isAlike) {
          t.skip("this machine draws letters unlike that of docs/gallery: no violation and no error, but not compared");
        } else {
          if (differs > MOST) await writeFile(`${ROOT}/e2e/output/gallery-${look}-${state}.png`, shot);
          assert.ok(differs <= MOST, `${(differs * 100).toFixed(2)} % of docs/gallery/${look}-${state}.png has changed; see e2e/output, and draw anew with BLESS=1`);
        }
        await context.close();
      });
    }
  });
}
