// Printing a conversation: the whole conversation from the bubble's menu, and the messages on the page by the browser's
// command.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { PANEL } from "./support/fixture.mjs";
import { watch } from "./support/browser.mjs";
import { said, seedHistory } from "./support/history.mjs";
import { browser, edge, start } from "./support/start.mjs";

const COUNT = 200;
const PAGE = 30;
const NEWEST = 60;

start();
let context, page, panel, log, seen;

beforeEach(async () => {
  const stored = await seedHistory(edge, COUNT, { site: "plain-demo", locale: "en" });
  context = await browser.newContext({ locale: "en-GB" });
  page = await context.newPage();
  seen = watch(page);
  await page.addInitScript(({ key, text }) => localStorage.setItem(key, text), stored);
  await page.goto(`${edge.url}/c/plain-demo`);
  panel = page.getByRole("region", { name: "Boulangerie Nord" });
  log = panel.getByRole("log");
  await log.getByText(said(COUNT - 1)).waitFor();
  // The page as the browser prints it, after every other listener has run.
  await page.evaluate(() => {
    window.papers = [];
    const log = document.querySelector("bulle-chat").shadowRoot.querySelector("[role=log]");
    window.numbers = () => [...log.children].map((child) => child.textContent.match(/message (\d+) of the past/)?.[1]).filter(Boolean).map(Number);
    addEventListener("beforeprint", () => papers.push(numbers()));
  });
});
afterEach(() => context?.close());

const numbers = () => page.evaluate(() => numbers());
const papers = () => page.evaluate(() => papers);
const from = (first) => Array.from({ length: COUNT - first }, (_, n) => first + n);
const shows = (count) => page.waitForFunction((count) => numbers().length === count, count);

async function print() {
  await panel.getByRole("button", { name: "Menu", exact: true }).click();
  await panel.getByRole("button", { name: PANEL.print }).click();
}

test("the menu prints every message, also those that were not on the page, and then the page is as before", async () => {
  assert.deepEqual(await numbers(), from(COUNT - PAGE));
  await print();
  await page.waitForFunction(() => papers.length);
  assert.deepEqual((await papers())[0], from(0));
  assert.equal(await panel.getByRole("region", { name: "Menu" }).count(), 0, "the menu is not on paper");
  // A browser without a printer only says that printing begins; this one says that it has ended, too. Chromium 156 refuses to
  // print a page again that has printed itself: then the events come from here.
  await page.pdf().catch(async (error) => {
    assert.match(error.message, /already being printed/);
    await page.evaluate(() => ["beforeprint", "afterprint"].forEach((name) => dispatchEvent(new Event(name))));
  });
  assert.deepEqual((await papers())[1], from(0));
  await shows(NEWEST);
  assert.deepEqual(await numbers(), from(COUNT - NEWEST));
  assert.ok(await log.getByText(said(COUNT - 1)).isVisible());
  assert.deepEqual(seen.errors, []);
});

test("the browser's own command prints every message that the page knows", async () => {
  for (let known = 2 * PAGE; known <= 4 * PAGE; known += PAGE) {
    await log.evaluate((log) => (log.scrollTop = 100));
    await shows(known);
  }
  await log.evaluate((log) => (log.scrollTop = log.scrollHeight));
  await shows(NEWEST);
  const { length } = seen.requests;
  await page.pdf();
  assert.deepEqual(await papers(), [from(COUNT - 4 * PAGE)]);
  await shows(NEWEST);
  assert.deepEqual(seen.requests.slice(length), []);
});

test("nothing is printed when older messages cannot be had; that is told, and can be tried again", async () => {
  const older = (url) => url.pathname.endsWith("/messages") && url.searchParams.has("before");
  let fetched = 0;
  // The request for the second page of older messages fails.
  await page.route(older, (route) => (++fetched === 2 ? route.abort() : route.continue()));
  await print();
  await panel.getByText(PANEL.not_done).waitFor();
  assert.deepEqual(await papers(), []);
  await panel.getByRole("button", { name: PANEL.print }).click();
  await page.waitForFunction(() => papers.length);
  assert.deepEqual((await papers())[0], from(0));
  assert.deepEqual(seen.errors.filter((line) => !/Failed to load resource/.test(line)), []);
});
