// A visitor's whole way in three browser engines: every scenario here runs in Chromium, in Firefox and in WebKitGTK.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { focused } from "./support/browser.mjs";
import { ENGINES, opener } from "./support/engines.mjs";
import { PANEL } from "./support/fixture.mjs";
import { ANSWER, QUESTION, html, tag, talk, talkIn } from "./support/host-page.mjs";
import { Owner } from "./support/owner.mjs";
import { edge, pages, site, start, upstream } from "./support/start.mjs";
import { answer, startNetwork } from "./support/upstream.mjs";
import { gate } from "./support/wait.mjs";

start({ model: true });

/** What the model waits with, by a word of the question. */
const held = new Map();
/** How the model answers; parts of it stand in the sources, too. */
const REPLY = "With our cargo bike";
const LONG = "Please tell me all about your bread.";

/** The model: it answers by what the question is, because the engines take turns. */
async function baker(response, question) {
  const says = question.includes(LONG) ? Array.from({ length: 40 }, (_, n) => `Line ${n}.\n\n`) : ["With our ", "cargo bike [1]."];
  const parts = answer(says);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(parts[0]);
  for (const [word, opened] of held) if (question.includes(word)) await opened;
  response.end(parts.slice(1).join(""));
}

for (const engine of ENGINES) {
  describe(engine.name, { skip: engine.missing }, () => {
    const open = opener(engine);
    const visit = (...how) => {
      upstream.behave = baker;
      return open(...how);
    };
    const plain = (t, options) => visit(t, `${edge.site}/plain/`, options);

    /** The menu's sheet, open. */
    async function menuOf({ bubble, button }) {
      await button("Menu").click();
      const sheet = bubble.dialog.getByRole("region", { name: "Menu" });
      await sheet.getByRole("list", { name: "Conversations" }).waitFor();
      return sheet;
    }

    test("a question, its answer as it is written, its sources, and all of it again after a reload", async (t) => {
      const { page, bubble, shot, faults } = await plain(t);
      const question = `Do you deliver to ${engine.name}?`;
      const { opened, open } = gate();
      held.set(question, opened);
      await bubble.open();
      await shot("empty");
      await bubble.ask(question);
      await bubble.log.getByText("With our").first().waitFor();
      assert.ok(!(await bubble.text()).includes(ANSWER));
      await bubble.stop.waitFor();
      open();
      await bubble.log.getByText(ANSWER).first().waitFor();
      await bubble.settled();
      await bubble.log.getByRole("button", { name: /^Source 1: / }).click();
      const source = bubble.log.getByRole("link").first();
      await source.waitFor();
      assert.equal(await source.getAttribute("target"), "_blank");
      await shot("answer");
      assert.deepEqual(await faults(), []);
      await page.reload();
      await bubble.reopen();
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.equal(await bubble.count(question), 1);
    });

    test("a long answer of one's own is read from its start, nothing covers it, and the way to its end goes with it", async (t) => {
      const visitor = await plain(t);
      const { page, bubble, button, shot } = visitor;
      await bubble.open();
      await bubble.ask(LONG);
      await bubble.log.getByText("Line 39.").waitFor();
      await bubble.settled();
      const newest = button("New messages");
      await newest.waitFor();
      const [list, way] = [await bubble.log.boundingBox(), await newest.boundingBox()];
      assert.ok(way.y >= list.y + list.height, `${JSON.stringify(way)} is below ${JSON.stringify(list)}`);
      await shot("long");
      const sheet = await menuOf(visitor);
      await sheet.getByRole("button", { name: PANEL.erase }).click();
      await sheet.getByRole("button", { name: PANEL.erase_yes, exact: true }).click();
      await sheet.getByText(PANEL.erased).waitFor();
      await page.keyboard.press("Escape");
      await sheet.waitFor({ state: "detached" });
      assert.equal(await newest.count(), 0);
      assert.equal(await bubble.log.getByText("Line 0.").count(), 0);
    });

    test("the menu shows the conversation, and a visitor takes everything along, then erases it", async (t) => {
      const visitor = await plain(t);
      const { browser, page, bubble, shot, faults } = visitor;
      await talk(visitor);
      await bubble.settled();
      const sheet = await menuOf(visitor);
      await sheet.getByRole("button", { name: `Rename: ${QUESTION}` }).waitFor();
      await shot("menu");
      const exported = await browser.download(visitor, () => sheet.getByRole("button", { name: PANEL.export }).click());
      assert.ok(JSON.parse(exported) && exported.includes(QUESTION) && exported.includes(ANSWER), exported);
      await sheet.getByRole("button", { name: PANEL.erase }).click();
      await sheet.getByText(PANEL.erase_ask).waitFor();
      await sheet.getByRole("button", { name: PANEL.erase_yes, exact: true }).click();
      await sheet.getByText(PANEL.erased).waitFor();
      assert.deepEqual(await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]), []);
      await page.keyboard.press("Escape");
      await sheet.waitFor({ state: "detached" });
      assert.equal(await bubble.log.getByText(ANSWER).count(), 0);
      await bubble.ask(QUESTION);
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.deepEqual(await faults(), []);
    });

    test("a file is attached, and sent with a question", async (t) => {
      await new Owner(edge, "boulangerie-nord").patch("/bots/counter", { settings: { features: { attachments: true } } });
      const { page, bubble, button, shot, faults } = await plain(t);
      const folder = await mkdtemp(join(tmpdir(), "bulle-files-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const file = join(folder, "menu.txt");
      await writeFile(file, "Flour, water, salt.\n".repeat(50));
      await bubble.open();
      await button(PANEL.attach).waitFor();
      await page.locator("[data-bulle] input[type=file]").setInputFiles(file);
      const chips = bubble.dialog.getByRole("list", { name: PANEL.attach }).getByRole("listitem");
      await chips.first().waitFor();
      await bubble.dialog.locator("progress").waitFor({ state: "detached" });
      assert.match(await chips.first().innerText(), /menu\.txt/);
      await shot("file");
      await bubble.ask("What is in this file?");
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.match(await bubble.text(), /menu\.txt/);
      assert.equal(await chips.count(), 0);
      assert.deepEqual(await faults(), []);
    });

    test("two tabs are one visitor with one conversation", async (t) => {
      const first = await plain(t);
      const second = await first.tab();
      await second.bubble.open();
      await first.page.bringToFront();
      await talk(first);
      await first.bubble.settled();
      await second.page.bringToFront();
      await second.bubble.ask("And on Sundays?");
      await second.bubble.log.getByText(REPLY).nth(1).waitFor();
      await first.page.bringToFront();
      await first.bubble.log.getByText(REPLY).nth(1).waitFor();
      for (const { bubble } of [first, second]) assert.equal(await bubble.count("And on Sundays?"), 1);
    });

    test("what is written without a network is sent when it is back, once", async (t) => {
      const network = await startNetwork(edge.port);
      t.after(() => network.stop());
      pages[`/${engine.name}`] = html(`<script async src="${network.url}/s/plain-demo.js"></script>`);
      const visitor = await visit(t, `${site.url}/${engine.name}`);
      const { context, bubble, shot } = visitor;
      await talk(visitor);
      await bubble.settled();
      network.cut();
      await bubble.ask("And on Sundays?");
      await bubble.dialog.getByText("Connection lost").first().waitFor();
      await shot("reconnecting");
      network.mend();
      await bubble.log.getByText(REPLY).nth(1).waitFor();
      await bubble.settled();
      assert.equal(await bubble.count("And on Sundays?"), 1);
      // WebDriver has no way to say so.
      if (!context.setOffline) return;
      await context.setOffline(true);
      await bubble.ask("And on Mondays?");
      await bubble.dialog.getByText("You are offline").first().waitFor();
      await context.setOffline(false);
      await bubble.log.getByText(REPLY).nth(2).waitFor();
      assert.equal(await bubble.count("And on Mondays?"), 1);
    });

    test("the keyboard alone is enough", async (t) => {
      const { page, bubble } = await plain(t);
      await bubble.launcher.waitFor();
      const hasFocus = () => bubble.launcher.evaluate((node) => node.getRootNode().activeElement === node);
      for (let stop = 0; stop < 40 && !(await hasFocus()); stop += 1) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await bubble.input.waitFor();
      assert.equal(await focused(page, "textbox"), "textbox");
      await page.keyboard.type("Do you deliver");
      await page.keyboard.press("Shift+Enter");
      await page.keyboard.type("in Rennes?");
      assert.equal(await bubble.input.inputValue(), "Do you deliver\nin Rennes?");
      await page.keyboard.press("Enter");
      await bubble.log.getByText(ANSWER).first().waitFor();
      await page.keyboard.press("Escape");
      await bubble.dialog.waitFor({ state: "hidden" });
      assert.ok(await hasFocus());
    });

    test("dark where the visitor's system is, in a page that can be dark", async (t) => {
      pages[`/dark-${engine.name}`] = html(`<meta name="color-scheme" content="light dark">${tag()}`);
      const visitor = await visit(t, `${site.url}/dark-${engine.name}`, { dark: true });
      await talk(visitor);
      await visitor.bubble.settled();
      assert.equal(await visitor.bubble.dialog.evaluate((panel) => getComputedStyle(panel).backgroundColor), "rgb(23, 24, 28)");
      await visitor.shot("dark");
    });

    test("from right to left", async (t) => {
      pages[`/rtl-${engine.name}`] = html(`<script async src="${edge.url}/s/plain-demo.js" data-locale="ar"></script>`);
      const { page, bubble, shot } = await visit(t, `${site.url}/rtl-${engine.name}`);
      await page.locator("[data-bulle] .launcher").click();
      await page.locator("[data-bulle][dir=rtl] .composer").waitFor();
      await bubble.ask("مرحبا");
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.equal(await bubble.log.evaluate((log) => getComputedStyle(log).direction), "rtl");
      const [panel, send] = [await bubble.dialog.boundingBox(), await bubble.dialog.locator("[data-do=send]").boundingBox()];
      assert.ok(send.x < panel.x + panel.width / 2, "the way on is on the left");
      assert.equal(await bubble.input.evaluate((field) => getComputedStyle(field).direction), "rtl", "an empty field begins on the right");
      await shot("rtl");
    });

    const strict = (t, name) => visit(t, `${edge.site}/strict/${name}.html`);

    for (const name of ["nonce", "trusted-types", "isolated"]) {
      test(`${name}: in the page, without a report`, async (t) => {
        const visitor = await strict(t, name);
        await talk(visitor);
        if (name === "isolated") assert.equal(await visitor.page.evaluate(() => crossOriginIsolated), true);
        assert.deepEqual(await visitor.faults(), []);
      });
    }

    test("element: in the page, without a report", async (t) => {
      const { page, faults, shot } = await strict(t, "element");
      await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
      assert.deepEqual(await faults(), []);
      await shot("element");
    });

    // WebKit asks for the frame of the isolated page twice: it refuses the first silently.
    for (const [name, reports] of [["frame", /^$/], ["isolated-frame", /^$/], ["hashes", /^script-src |wasm|WebAssembly/i], ["no-connection", /^connect-src |Load failed|NetworkError|Failed to fetch/]]) {
      test(`${name}: in a frame, without a browser's outline around the panel`, async (t) => {
        const { page, bubble, frame, faults, shot } = await strict(t, name);
        await bubble.launcher.click();
        await talkIn(frame);
        // Before the picture, for which playwright adds a style sheet that the policy refuses.
        assert.deepEqual((await faults()).filter((line) => !reports.test(line)), []);
        await shot(name);
        assert.equal(await bubble.dialog.evaluate((panel) => (panel.focus(), getComputedStyle(panel).outlineStyle)), "none");
        // The way out, by a key that the frame gets.
        await frame.getByRole("textbox").press("Escape");
        await bubble.dialog.waitFor({ state: "hidden" });
        assert.ok(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.matches(".launcher")));
      });
    }

    test("no-frame: a calm message with a link to the bot's own page", async (t) => {
      const { bubble } = await strict(t, "no-frame");
      await bubble.launcher.click();
      await bubble.dialog.getByRole("link", { name: "Open the chat" }).waitFor();
      await bubble.dialog.getByText("cannot be reached").first().waitFor();
    });

    test("a frame's answer that nobody sees is counted on the launcher", async (t) => {
      const question = `Until when is ${engine.name} open?`;
      const { opened, open } = gate();
      held.set(question, opened);
      const { page, bubble, frame, button } = await strict(t, "frame");
      await bubble.launcher.click();
      await frame.getByRole("textbox").fill(question);
      await frame.getByRole("textbox").press("Enter");
      await frame.getByRole("log").getByText("With our").first().waitFor();
      await button("Close the chat").click();
      await bubble.dialog.waitFor({ state: "hidden" });
      open();
      await page.getByRole("button", { name: "Open the chat (1 new message)" }).click();
      await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    });

    test("the hosted page", async (t) => {
      const { page, shot, faults } = await visit(t, `${edge.url}/c/plain-demo`);
      await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
      assert.deepEqual(await faults(), []);
      await shot("hosted");
    });
  });
}
