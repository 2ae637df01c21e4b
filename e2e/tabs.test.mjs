// One visitor in several tabs: shared answers, stored data, and ratings of answers.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { PANEL } from "./support/fixture.mjs";
import { Bubble, picture, violations, watch } from "./support/browser.mjs";
import { browser, edge, start, upstream } from "./support/start.mjs";
import { answer, paced, stream } from "./support/upstream.mjs";

const QUESTION = "How much is a baguette?";
const WORDS = Array.from({ length: 30 }, (_, n) => `word${n} `).concat("The end");

start({ model: true });
let context;
beforeEach(async () => {
  context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(WORDS));
});
afterEach(() => context.close());

async function tab(path = "/plain/") {
  const page = await context.newPage();
  const seen = watch(page);
  await page.goto(edge.site + path);
  const bubble = await new Bubble(page, "en").open();
  return { page, seen, bubble };
}

/** Calls to the edge that read a stream. */
const streams = ({ requests }) => requests.filter((line) => /messages$|events$/.test(line) && (line.startsWith("POST") || line.includes("events")));

/** A tab that has had its first answer, and a second one that shows the same conversation. */
async function pair() {
  const first = await tab();
  await first.bubble.ask("Do you deliver?");
  await first.bubble.log.getByText("The end").waitFor();
  await first.bubble.settled();
  const second = await tab();
  await second.bubble.log.getByText("The end").waitFor();
  upstream.requests.length = 0;
  return [first, second];
}

test("what one tab asks, the other shows as it comes, from one stream", async () => {
  const [first, second] = await pair();
  const pace = paced(answer(WORDS), 6);
  upstream.behave = pace.behave;
  await first.bubble.ask(QUESTION);
  await second.bubble.log.getByText(QUESTION).waitFor();
  await second.bubble.stop.waitFor();
  await second.bubble.log.getByText("word5").nth(1).waitFor();
  assert.ok((await second.bubble.text()).split("The end").length === 2, "not at once, but as it comes");
  pace.rest();
  for (const { bubble } of [first, second]) {
    await bubble.log.getByText("The end").nth(1).waitFor();
    await bubble.settled();
    assert.equal(await bubble.count(QUESTION), 1);
    assert.equal((await bubble.text()).split("word29").length, 3);
  }
  assert.equal(upstream.requests.length, 1);
  assert.deepEqual(streams(second.seen), [], "the second tab has not asked the edge for the answer");
  // The other direction; the tab that follows the stream stops it.
  upstream.behave = paced(answer(WORDS), 4).behave;
  await second.bubble.ask("And a croissant?");
  await first.bubble.log.getByText("word3").nth(2).waitFor();
  await first.page.bringToFront();
  await first.bubble.stopAnswer("You stopped this answer.");
  for (const { bubble, seen } of [first, second]) {
    await bubble.log.getByText("You stopped this answer.").waitFor();
    assert.deepEqual(seen.errors, []);
  }
});

test("the tab that asked is closed in the middle: the other one reads on to the end", async () => {
  const [first, second] = await pair();
  const pace = paced(answer(WORDS), 4);
  upstream.behave = pace.behave;
  await first.bubble.ask(QUESTION);
  await second.bubble.log.getByText("word3").nth(1).waitFor();
  await first.page.close({ runBeforeUnload: false });
  pace.rest();
  await second.bubble.log.getByText("The end").nth(1).waitFor();
  await second.bubble.settled();
  assert.equal((await second.bubble.text()).split("word29").length, 3);
  assert.equal(upstream.requests.length, 1, "the model was asked once");
  const third = await tab();
  assert.equal(await third.bubble.count(QUESTION), 1);
});

test("a draft is kept for the tab, once the visitor has spoken", async () => {
  const { page, bubble } = await tab();
  await bubble.input.fill("Not yet");
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), ["bulle-open:plain-demo"]);
  await bubble.ask(QUESTION);
  await bubble.log.getByText("The end").waitFor();
  await bubble.input.fill("Do you bake on");
  await page.reload();
  await bubble.input.waitFor();
  assert.equal(await bubble.input.inputValue(), "Do you bake on");
  await bubble.settled();
  await bubble.input.press("Enter");
  await bubble.log.getByText("The end").nth(1).waitFor();
  await page.reload();
  await bubble.input.waitFor();
  assert.equal(await bubble.input.inputValue(), "");
});

test("a page is not told of to the edge when the visitor does not want to be followed", async () => {
  const places = [];
  for (const signal of [{}, { globalPrivacyControl: true }, { doNotTrack: "1" }]) {
    const other = await browser.newContext({ locale: "en-GB" });
    await other.addInitScript((signal) => {
      for (const [name, value] of Object.entries(signal)) Object.defineProperty(Navigator.prototype, name, { get: () => value });
    }, signal);
    const page = await other.newPage();
    page.on("request", (request) => {
      if (request.url().endsWith("/v1/sessions") && request.method() === "POST") places.push(request.postDataJSON().page?.title);
    });
    await page.goto(`${edge.site}/plain/`);
    await new Bubble(page, "en").open();
    await other.close();
  }
  assert.deepEqual(places, ["Plain page", undefined, undefined]);
});

test("days and times are told, answers are rated, and all of it without a violation", async () => {
  const { page, bubble, seen } = await tab();
  await bubble.ask(QUESTION);
  await bubble.log.getByText("The end").waitFor();
  await bubble.settled();
  await bubble.log.getByText("Today", { exact: true }).waitFor();
  // Of the answer; a visitor knows when they wrote.
  assert.equal(await bubble.log.locator("time").count(), 1);
  assert.match(await bubble.log.locator("time").first().innerText(), /^\d\d:\d\d$/);

  const good = bubble.log.getByRole("button", { name: "Good answer" });
  const bad = bubble.log.getByRole("button", { name: "Bad answer" });
  assert.equal(await good.getAttribute("aria-pressed"), "false");
  await good.click();
  assert.equal(await good.getAttribute("aria-pressed"), "true");
  await bad.click();
  assert.deepEqual([await good.getAttribute("aria-pressed"), await bad.getAttribute("aria-pressed")], ["false", "true"]);
  await picture(page, "rated");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(seen.errors, []);
});

test("an empty conversation offers questions and topics", async () => {
  const { page, bubble } = await tab();
  await bubble.log.getByText("I can help with").waitFor();
  await picture(page, "topics");
  assert.deepEqual(await violations(page), []);
  await bubble.log.getByRole("button", { name: "Opening hours" }).click();
  await bubble.log.getByText("The end").waitFor();
  assert.equal(await bubble.log.getByText("I can help with").count(), 0);
});

test("screen readers are told paragraphs when they are whole, never words", async () => {
  const { page, bubble } = await tab();
  await page.evaluate(() => {
    const root = document.querySelector("[data-bulle]").shadowRoot;
    const region = [...root.querySelectorAll("[role=status]")].at(-1);
    window.said = [];
    const note = (records) => records.forEach(({ addedNodes }) => addedNodes.forEach((node) => window.said.push(node.textContent)));
    new MutationObserver(note).observe(region, { childList: true });
  });
  const paragraphs = ["First ", "paragraph.", "\n\nSecond ", "one.", "\n\nThe ", "end"];
  upstream.behave = (response) => stream(response, answer(paragraphs), { wait: 150 });
  await bubble.ask(QUESTION);
  await bubble.log.getByText("The end").waitFor();
  await bubble.settled();
  const said = await page.evaluate(() => window.said);
  assert.deepEqual(said.filter((text) => !text.includes("writing")), ["First paragraph.", "Second one.", "The end"]);
});

test("what one tab has erased, the other one forgets without a call, and whoever writes there is somebody new", async () => {
  const [first, second] = await pair();
  // The other tab has a draft, and a message that does not reach the edge.
  const stuck = (url) => url.pathname.endsWith("/messages");
  await second.page.route(stuck, (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  const unsent = "Is there rye bread?";
  await second.bubble.ask(unsent);
  await second.bubble.input.fill("And do you");
  const kept = () => second.page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort());
  const KEYS = ["bulle-draft:plain-demo", "bulle-open:plain-demo", "bulle-outbox:plain-demo", "bulle:plain-demo"];
  assert.deepEqual(await kept(), KEYS);
  const sessions = () => second.seen.requests.filter((line) => line === "POST /v1/sessions").length;
  assert.equal(sessions(), 1);

  await first.bubble.dialog.getByRole("button", { name: "Menu", exact: true }).click();
  await first.bubble.dialog.getByRole("button", { name: PANEL.erase, exact: true }).click();
  await first.bubble.dialog.getByRole("button", { name: PANEL.erase_yes, exact: true }).click();
  await first.bubble.dialog.getByText(PANEL.erased).waitFor();

  await second.bubble.log.getByText("The end").waitFor({ state: "detached" });
  assert.equal(await second.bubble.log.getByText(unsent).count(), 0);
  assert.equal(await second.bubble.input.inputValue(), "");
  assert.deepEqual(await kept(), ["bulle-open:plain-demo"]);
  await second.page.unroute(stuck);
  // A wrong call would have arrived before the answer to this one.
  await second.page.evaluate(() => fetch(location.href));
  assert.equal(sessions(), 1);

  await second.bubble.ask("Who am I?");
  await second.bubble.log.getByText("The end").waitFor();
  assert.equal(sessions(), 2);
  assert.equal(await second.bubble.log.getByText(unsent).count(), 0);
  assert.equal(upstream.requests.length, 1, "what was not sent stays so");
  for (const { seen } of [first, second]) assert.deepEqual(seen.errors.filter((line) => !/^Failed to load resource/.test(line)), []);
});
