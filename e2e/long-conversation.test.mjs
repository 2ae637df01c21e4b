// A long conversation in a real browser: the number of messages on the page, and that the scroll position does not
// jump.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Bubble, focused, violations, watch } from "./support/browser.mjs";
import { said, seedHistory } from "./support/history.mjs";
import { browser, edge, start } from "./support/start.mjs";
import { until } from "./support/wait.mjs";

const COUNT = 200;
const PAGE = 30;
const NEWEST = 60;

start();
let stored, page, bubble, seen;

beforeEach(async () => {
  stored = await seedHistory(edge, COUNT, { site: "plain-demo", locale: "en" });
  const context = await browser.newContext({ locale: "en-GB" });
  page = await context.newPage();
  seen = watch(page);
  await page.addInitScript(({ key, text }) => localStorage.setItem(key, text), stored);
  await page.goto(`${edge.site}/plain/`);
  bubble = await new Bubble(page, "en").open();
  await bubble.log.getByText(said(COUNT - 1)).waitFor();
  await atEnd();
});

const asked = () => seen.requests.filter((line) => line.endsWith("/messages")).length;

/** Messages on the page, each with its number in the text. */
const shown = () => bubble.log.evaluate((log) => [...log.children].filter((child) => /of the past/.test(child.textContent)).length);

const atEnd = () => until("the end", () => bubble.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2));

/** Scrolls to near the top, and gives the movement of the visible message when older ones are inserted. */
async function scrollUp(expected) {
  const moved = await bubble.log.evaluate(async (log, expected) => {
    const frame = () => new Promise(requestAnimationFrame);
    const messages = () => [...log.children].filter((child) => /of the past/.test(child.textContent));
    log.scrollTop = 150;
    const edge = log.getBoundingClientRect().top;
    const first = messages().find((message) => message.getBoundingClientRect().bottom > edge);
    const was = first.getBoundingClientRect().top;
    for (let tries = 0; messages().length < expected; tries += 1) {
      if (tries > 1200) return `only ${messages().length} of ${expected} messages`;
      await frame();
    }
    await frame();
    await frame();
    return first.getBoundingClientRect().top - was;
  }, expected);
  assert.ok(Math.abs(moved) < 2, `what was in sight moved: ${moved}`);
}

test("who scrolls up finds older messages, what is in sight stays, and at the end only the newest are on the page", async () => {
  assert.equal(await shown(), PAGE);
  assert.equal(asked(), 1);
  for (const expected of [60, 90, 120]) await scrollUp(expected);
  assert.equal(asked(), 4);
  await bubble.log.evaluate((log) => (log.scrollTop = log.scrollHeight));
  await until("a short list", async () => (await shown()) === NEWEST);
  await atEnd();
  assert.ok(await bubble.log.getByText(said(COUNT - 1)).isVisible());

  // Loaded messages are shown again without a request.
  await scrollUp(90);
  await scrollUp(120);
  assert.equal(asked(), 4);
  await scrollUp(150);
  assert.equal(asked(), 5);
  assert.deepEqual(seen.errors, []);
});

test("the first message of all is reached, each message stands once and in order", async () => {
  for (let expected = 60; expected < COUNT; expected += PAGE) await scrollUp(expected);
  await scrollUp(COUNT);
  const order = await bubble.log.evaluate((log) => [...log.children].map((child) => child.textContent.match(/message (\d+) of/)?.[1]).filter(Boolean).map(Number));
  assert.deepEqual(order, Array.from({ length: COUNT }, (_, n) => n));
  assert.equal(await bubble.log.getByRole("button", { name: /earlier/i }).count(), 0);

  // After a question the list is at its end, and has its usual number of messages.
  await bubble.ask("Do you deliver?");
  await bubble.log.getByText("cargo bike").first().waitFor();
  await bubble.settled();
  await until("a short list", async () => (await bubble.log.evaluate((log) => log.children.length)) <= NEWEST + 2);
  assert.ok(await bubble.log.getByText("Do you deliver?").isVisible());
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(seen.errors, []);
});

test("the keyboard reaches older messages through the button, which stays until it is pressed", async () => {
  const earlier = bubble.log.getByRole("button", { name: /earlier/i });
  await earlier.focus();
  // The focus scrolls the list to its top, and the scroll event is what loads older messages. A browser dispatches it before it
  // draws the next frame; a request is sent, or a message drawn, at the latest in the frame after it.
  await until("the top", () => bubble.log.evaluate((log) => log.scrollTop < log.clientHeight));
  await bubble.log.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  });
  assert.equal(await focused(page, "button"), "button");
  assert.equal(asked(), 1);
  assert.equal(await shown(), PAGE);
  await page.keyboard.press("Enter");
  await until("older messages", async () => (await shown()) === 2 * PAGE);
  assert.equal(await focused(page, "log"), "log");
});
