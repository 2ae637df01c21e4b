// A browser that is offline, frozen, or goes back: messages are sent later, and missed answers are shown, once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { Bubble, watch } from "./support/browser.mjs";
import { Visitor } from "./support/client.mjs";
import { tag } from "./support/host-page.mjs";
import { answer, paced, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";
import { browser, edge, pages, site, start, upstream } from "./support/start.mjs";

start({ model: true });

const QUESTION = "How much is a baguette?";

async function visit(from = browser, url = `${edge.site}/plain/`) {
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(["One ", "answer."]));
  const context = await from.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const seen = watch(page);
  await page.goto(url);
  return { context, page, seen, bubble: await new Bubble(page, "en").open() };
}

const asked = () => upstream.requests.map(({ body }) => body.messages.at(-1).content);

test("two messages that are written offline are sent once, in their order", async () => {
  const { context, page, bubble } = await visit();
  await bubble.ask(QUESTION);
  await bubble.log.getByText("One answer.").waitFor();
  await context.setOffline(true);
  for (const text of ["The first of two", "The second of two"]) await bubble.ask(text);
  await bubble.dialog.getByText("You are offline").first().waitFor();
  await bubble.log.getByText("Waiting to be sent").nth(1).waitFor();
  await context.setOffline(false);
  await bubble.log.getByText("One answer.").nth(2).waitFor();
  await bubble.settled();
  assert.equal(asked().length, 3);
  for (const [at, text] of ["The first of two", "The second of two"].entries()) {
    assert.ok(asked()[at + 1].includes(text), asked()[at + 1]);
    assert.equal(await bubble.count(text), 1);
  }
  const text = await bubble.text();
  assert.ok(text.indexOf("The first of two") < text.indexOf("The second of two"));
  assert.equal(text.split("One answer.").length, 4);
  // After a reload, the messages come from the edge.
  await page.reload();
  await bubble.reopen();
  await bubble.log.getByText("The second of two").waitFor();
  assert.equal(await bubble.count("The first of two"), 1);
  assert.equal((await bubble.text()).split("One answer.").length, 4);
});

test("a page that sleeps while its answer is written has it once when it wakes", async () => {
  const { context, page, bubble } = await visit();
  const pace = paced(answer(["First half. ", "Second half."]), 1);
  upstream.behave = pace.behave;
  const client = await context.newCDPSession(page);
  await bubble.ask(QUESTION);
  await bubble.log.getByText("First half.").waitFor();
  await client.send("Page.setWebLifecycleState", { state: "frozen" });
  const before = upstream.closed;
  pace.rest();
  await until("the model has said all", () => upstream.closed > before);
  await client.send("Page.setWebLifecycleState", { state: "active" });
  await bubble.log.getByText("Second half.").waitFor();
  await bubble.settled();
  assert.equal(await bubble.count("First half. Second half."), 1);
  assert.equal(await bubble.count(QUESTION), 1);
  assert.equal(upstream.requests.length, 1);
  // The conversation continues.
  upstream.behave = (response) => stream(response, answer(["One ", "answer."]));
  await bubble.ask("And a croissant?");
  await bubble.log.getByText("One answer.").waitFor();
});

test("a page that the browser has kept looks for what it has missed when the visitor goes back", async () => {
  pages["/"] = `<!doctype html><html lang="en"><title>Host</title><h1>Host</h1>${tag()}`;
  pages["/next"] = `<!doctype html><html lang="en"><title>Next</title><h1>Next</h1>`;
  const keeping = await chromium.launch({
    executablePath: process.env.CHROME_PATH,
    args: ["--no-sandbox", "--disable-gpu"],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  try {
    const { page, seen, bubble } = await visit(keeping, `${site.url}/`);
    await page.evaluate(() => addEventListener("pageshow", ({ persisted }) => (window.persisted = persisted)));
    await bubble.ask(QUESTION);
    await bubble.log.getByText("One answer.").waitFor();
    await bubble.settled();
    const kept = JSON.parse(await page.evaluate(() => localStorage["bulle:plain-demo"]));
    await page.goto(`${site.url}/next`);
    // Meanwhile the same visitor asks on another device. A tab of this browser would notify the page.
    const elsewhere = new Visitor(edge, { site: "plain-demo", locale: "en", origin: site.url });
    Object.assign(elsewhere, { token: kept.token, conversationId: kept.conversation });
    await elsewhere.ask("And a croissant?");
    // A page restored from the back/forward cache is not loaded.
    await page.goBack({ waitUntil: "commit" });
    await page.waitForFunction(() => document.title === "Host" && document.visibilityState === "visible");
    assert.equal(await page.evaluate(() => window.persisted), true);
    await bubble.log.getByText("And a croissant?").waitFor();
    await bubble.log.getByText("One answer.").nth(1).waitFor();
    assert.equal(await bubble.count("And a croissant?"), 1);
    await bubble.ask("And bread?");
    await bubble.log.getByText("One answer.").nth(2).waitFor();
    assert.deepEqual(seen.errors, []);
  } finally {
    await keeping.close();
  }
});
