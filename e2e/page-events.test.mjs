// Events for the page around the bubble: unread replies, errors, and no events after `destroy`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER, QUESTION, call, host, tag } from "./support/host-page.mjs";
import { start } from "./support/start.mjs";

start();

const KINDS = ["ready", "open", "close", "message", "reply", "error", "unread"];

/** A page that records the bubble's events. */
async function listening() {
  const visitor = await host(tag());
  await visitor.bubble.launcher.waitFor();
  await visitor.page.evaluate((kinds) => {
    window.heard = [];
    window.listeners = {};
    for (const kind of kinds) Bulle["plain-demo"].on(kind, (listeners[kind] = (detail) => heard.push([kind, detail])));
  }, KINDS);
  /** The recorded events of these types. */
  const heard = (...kinds) => visitor.page.evaluate((kinds) => heard.filter(([kind]) => kinds.includes(kind)), kinds);
  const waitFor = (kind, count) => visitor.page.waitForFunction(([kind, count]) => heard.filter(([of]) => of === kind).length >= count, [kind, count]);
  return { ...visitor, heard, waitFor };
}

/** Holds questions until the function that it returns is called. */
async function holdQuestions(page) {
  const { promise, resolve } = Promise.withResolvers();
  await page.route("**/messages", async (route) => {
    if (route.request().method() === "POST") await promise;
    await route.continue();
  });
  return resolve;
}

test("replies that come while the panel is closed are counted, and seen when it opens", async () => {
  const { page, bubble, heard, waitFor, seen } = await listening();
  const counts = async () => (await heard("unread")).map(([, { count }]) => count);
  await bubble.open();
  const release = await holdQuestions(page);
  // The second one waits in the bubble for the answer to the first.
  await bubble.ask(QUESTION);
  await bubble.ask("And on Sundays?");
  await call(page, "close");
  await bubble.dialog.waitFor({ state: "hidden" });
  assert.deepEqual(await heard("reply", "unread"), []);
  release();
  await waitFor("reply", 2);
  assert.deepEqual(await counts(), [1, 2]);
  // The launcher shows the count, too.
  await page.getByRole("button", { name: "Open the chat (2 new messages)" }).waitFor();
  await call(page, "open");
  await bubble.log.getByText(ANSWER).first().waitFor();
  assert.deepEqual(await counts(), [1, 2, 0]);
  // Replies in an open panel are not counted.
  await bubble.ask(QUESTION);
  await waitFor("reply", 3);
  assert.deepEqual(await counts(), [1, 2, 0]);
  assert.deepEqual(seen.errors, []);
});

test("what fails is told by its code: a question that is refused, and a session", async () => {
  const { page, bubble, heard, waitFor } = await listening();
  const refuse = (status, code) => (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status,
          headers: { "access-control-allow-origin": "*" },
          contentType: "application/problem+json",
          body: JSON.stringify({ type: "about:blank", title: "Refused", status, code, detail: "Refused." }),
        })
      : route.continue();
  await page.route("**/v1/sessions", refuse(403, "origin_not_allowed"));
  await bubble.launcher.click();
  await waitFor("error", 1);
  assert.deepEqual(await heard("error", "ready"), [["error", { code: "origin_not_allowed" }]]);

  const asking = await listening();
  await asking.bubble.open();
  await asking.page.route("**/messages", refuse(503, "storage_unavailable"));
  await asking.bubble.ask(QUESTION);
  await asking.bubble.dialog.getByText("Your message is kept").first().waitFor();
  assert.deepEqual(await asking.heard("error"), [["error", { code: "storage_unavailable" }]]);
  // The exchange continues.
  await asking.page.unroute("**/messages");
  await asking.bubble.retry.click();
  await asking.bubble.log.getByText(ANSWER).first().waitFor();
  assert.equal((await asking.heard("error")).length, 1);
});

test("who turns away hears nothing more, and the others go on hearing", async () => {
  const { page, bubble, heard, waitFor } = await listening();
  await page.evaluate(() => {
    const { off, on } = Bulle["plain-demo"];
    // Before the code is loaded, and for a method that does not exist.
    off("open", listeners.open);
    off("nothing", () => {});
    on("open", () => heard.push(["other", {}]));
  });
  await bubble.open();
  assert.deepEqual(await heard("open"), []);
  assert.deepEqual(await heard("other"), [["other", {}]]);
  await page.evaluate(() => {
    for (const kind of ["close", "message"]) Bulle["plain-demo"].off(kind, listeners[kind]);
  });
  await bubble.ask(QUESTION);
  await waitFor("reply", 1);
  await call(page, "close");
  await bubble.dialog.waitFor({ state: "hidden" });
  await bubble.open();
  assert.deepEqual((await heard("open", "close", "message", "other")).map(([kind]) => kind), ["other", "other"]);
});
