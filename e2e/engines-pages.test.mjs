// The bubble in pages that watch their whole window, in three browser engines: page-listeners.test.mjs and host-page.test.mjs have
// more of the same for Chromium.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ENGINES, opener } from "./support/engines.mjs";
import { ANSWER, QUESTION, html, tag, talk } from "./support/host-page.mjs";
import { DIALOGS, TRAPS, inline, isolated, modal } from "./support/modals.mjs";
import { Owner } from "./support/owner.mjs";
import { edge, pages, site, start } from "./support/start.mjs";

start();

/** Traps of different kinds; page-listeners.test.mjs has all. */
const KINDS = ["Bootstrap's focusin", "the focusout of the modal", "Headless UI's focus of the window", "MUI's interval", "everything else inert", "presses outside that are prevented"];
const LONG = '<p style="height:4000px">A long page.</p>';
const CARRIES = ["filter:grayscale(1)", "transform:translateZ(0)", "will-change:transform", "contain:paint", "perspective:100px", "backdrop-filter:blur(1px)", "container-type:inline-size", "translate:0 1px"];

for (const engine of ENGINES) {
  describe(engine.name, { skip: engine.missing }, () => {
    const open = opener(engine);
    let count = 0;
    /** Opens a page with this body. */
    function visit(t, body) {
      const path = `/${engine.name}-${(count += 1)}`;
      pages[path] = html(body);
      return open(t, site.url + path, { root: "[data-bulle]" });
    }
    /** How far the middle of the launcher is from the lower edge of the window, in pixels: it is larger under the mouse. */
    const below = ({ page }) =>
      page.evaluate(() => {
        const { y, height } = document.querySelector("[data-bulle]").shadowRoot.querySelector(".launcher").getBoundingClientRect();
        return Math.round(innerHeight - y - height / 2);
      });
    const place = ({ page }, id) => page.waitForFunction((id) => document.querySelector("[data-bulle]")?.parentElement.id === id, id);

    for (const [name, lock] of [
      ["the window", 'addEventListener("wheel", (event) => event.preventDefault(), { passive: false, capture: true });'],
      ["the document", 'document.addEventListener("wheel", (event) => event.preventDefault(), { passive: false, capture: true });'],
    ]) {
      test(`${name} takes the wheel: the list keeps it`, async (t) => {
        const visitor = await visit(t, `${LONG}<style>[data-bulle]{--bulle-height:340px}</style>${inline(lock)}${tag()}`);
        const { page, bubble } = visitor;
        await talk(visitor);
        await bubble.ask("How much is a baguette?");
        await bubble.log.getByText("€1.30").first().waitFor();
        await bubble.settled();
        await isolated(page);
        const top = () => bubble.log.evaluate((log) => log.scrollTop);
        const was = await top();
        assert.ok(was > 100, `there is something to scroll: ${was}`);
        const { x, y, width, height } = await bubble.log.boundingBox();
        await page.mouse.move(x + width / 2, y + height / 2);
        await page.mouse.wheel(0, -80);
        await page.waitForFunction((was) => document.querySelector("[data-bulle]").shadowRoot.querySelector("[role=log]").scrollTop < was - 20, was);
        assert.equal(await page.evaluate(() => scrollY), 0);
      });
    }

    /** The visitor presses the field and asks; the modal stays, and can be written in. */
    async function write({ page, bubble }) {
      await isolated(page);
      await bubble.input.click();
      await page.keyboard.type(QUESTION);
      await page.keyboard.press("Enter");
      await bubble.log.getByText(ANSWER).first().waitFor();
      const mail = page.locator("#mail");
      await mail.click();
      await page.keyboard.type("ada");
      assert.equal(await mail.inputValue(), "ada");
      assert.equal(await bubble.input.inputValue(), "");
    }
    for (const name of KINDS) {
      test(`${name}: the first click on the launcher opens the bubble, which can be written in, and so can the modal`, async (t) => {
        const visitor = await visit(t, modal(TRAPS[name]) + tag());
        await visitor.bubble.launcher.waitFor();
        await visitor.page.evaluate(() => window.modal.open());
        await visitor.bubble.open();
        await write(visitor);
        assert.deepEqual(await visitor.faults(), []);
      });
    }

    test("a modal dialog takes the launcher along, and the open panel", async (t) => {
      const visitor = await visit(t, DIALOGS + tag());
      const { page, bubble, shot, faults } = visitor;
      await bubble.launcher.waitFor();
      await page.evaluate(() => document.querySelector("#modal").showModal());
      await place(visitor, "modal");
      assert.equal(await below(visitor), 50);
      await bubble.open();
      await write(visitor);
      await shot("dialog");
      await bubble.input.press("Escape");
      await bubble.dialog.waitFor({ state: "hidden" });
      await page.locator("#close").click();
      await place(visitor, "");
      await bubble.open();
      await bubble.log.getByText(ANSWER).first().waitFor();
      await page.evaluate(() => document.querySelector("#second").showModal());
      await place(visitor, "second");
      await bubble.ask("How much is a baguette?");
      await bubble.log.getByText("€1.30").first().waitFor();
      assert.equal(await below(visitor), 50);
      await page.locator("#no").click();
      await place(visitor, "");
      assert.deepEqual(await faults(), []);
    });

    test("styles of the body, and filters of the whole page, leave the launcher in its corner", async (t) => {
      const visitor = await visit(t, LONG + tag());
      const { page, bubble } = visitor;
      await bubble.launcher.waitFor();
      for (const [element, rules] of [...CARRIES.map((rules) => ["body", rules]), ["html", "filter:grayscale(1)"]]) {
        for (const top of [0, 1500]) {
          await page.evaluate(([element, rules, top]) => {
            document.querySelector(element).style.cssText = rules;
            scrollTo(0, top);
          }, [element, rules, top]);
          assert.equal(await below(visitor), 50, `${element}: ${rules}`);
        }
        await page.evaluate(() => document.querySelectorAll("html,body").forEach((element) => element.removeAttribute("style")));
      }
      await talk(visitor);
    });

    test("an optimiser runs the script as a module, without the tag: its attributes count", async (t) => {
      const src = `${edge.url}/s/plain-demo.js`;
      const visitor = await visit(t, `<script type="text/plain" src="${src}" data-position="left" data-greeting="Bonsoir"></script>`);
      const { page, bubble } = visitor;
      await page.evaluate((src) => import(src).then(() => true), src);
      await bubble.launcher.waitFor();
      await talk(visitor);
      const { x } = await page.locator("[data-bulle] .launcher").boundingBox();
      assert.ok(x < 100, `on the left: ${x}`);
    });

    test("in a page that stays open, the line about business hours changes when the owner closes", async (t) => {
      const owner = new Owner(edge, "boulangerie-nord");
      const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
      const setHours = (ranges) => {
        const weekly = Object.fromEntries(days.map((day) => [day, ranges]));
        const hours = { time_zone: "Europe/Paris", weekly, text: { en: "Nobody is here." }, open_text: { en: "We are here until 6." }, outside: "answer" };
        return owner.patch("/bots/counter", { settings: { hours } });
      };
      await setHours(["00:00-24:00"]);
      t.after(() => owner.patch("/bots/counter", { settings: { hours: null } }));
      const { page, bubble, faults } = await visit(t, tag());
      // As if it closed in a second, whenever the page asks.
      await page.evaluate(() => {
        const { fetch } = window;
        window.fetch = async (...request) => {
          const response = await fetch(...request);
          if (!String(request[0]?.url ?? request[0]).endsWith("/v1/sessions")) return response;
          const session = await response.json();
          session.bot.hours.good_for_s = 1;
          return new Response(JSON.stringify(session), response);
        };
      });
      await bubble.open();
      await bubble.dialog.getByText("We are here until 6.").waitFor();
      await setHours([]);
      await bubble.dialog.getByText("Nobody is here.").waitFor();
      assert.deepEqual(await faults(), []);
    });
  });
}
