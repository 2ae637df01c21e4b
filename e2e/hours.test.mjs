// Business hours for visitors: a line while the business is closed, and a message that is kept until it opens.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ANSWER, QUESTION, VIEWS, baker, faults, visit } from "./support/fixture.mjs";
import { picture } from "./support/browser.mjs";
import { Owner } from "./support/owner.mjs";
import { edge, start, upstream } from "./support/start.mjs";

start({ model: true });
beforeEach(() => {
  upstream.behave = baker;
  upstream.requests.length = 0;
});

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const CLOSED = "Nobody is here before Monday, 9 o'clock.";
const hours = (ranges, more) => ({ hours: { time_zone: "Europe/Paris", weekly: Object.fromEntries(DAYS.map((day) => [day, ranges])), text: { en: CLOSED }, outside: "answer", ...more } });

for (const [name, options] of Object.entries(VIEWS).filter(([name]) => name !== "rtl")) {
  test(`${name}: while nobody is here a line says so, and the bot answers`, async () => {
    const { page, bubble, seen } = await visit({ ...options, settings: hours([], { open_text: { en: "We are here until 6." } }) });
    const line = bubble.dialog.getByText(CLOSED);
    await line.waitFor();
    assert.deepEqual(await faults(page), []);
    await picture(page, `hours-${name}`);
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.ok(await line.isVisible());
    const { scrollWidth, clientWidth } = await line.evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
    assert.ok(scrollWidth <= clientWidth, "the line is not cut off");
    assert.deepEqual(seen.errors, []);
  });
}

for (const [name, more, shown] of [
  ["the owner's words are shown", { open_text: { en: "We are here until 6." } }, "We are here until 6."],
  ["there is no line without the owner's words for that", {}, undefined],
]) {
  test(`while somebody is here ${name}`, async () => {
    const { page, bubble, seen } = await visit({ settings: hours(["00:00-24:00"], more) });
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    if (shown) await bubble.dialog.getByText(shown, { exact: true }).waitFor();
    assert.equal(await page.locator("[data-bulle] .state").count(), shown ? 1 : 0);
    assert.equal(await bubble.dialog.getByText(CLOSED).count(), 0);
    assert.deepEqual(seen.errors, []);
  });
}

for (const [name, options] of [["desktop", VIEWS.desktop], ["dark", VIEWS.dark], ["forced", VIEWS.forced], ["zoom", VIEWS.zoom]]) {
  test(`${name}: a bot that takes no messages then says when, keeps what was typed, and takes it later`, async () => {
    const { page, bubble, seen } = await visit({ ...options, settings: hours([], { outside: "closed" }) });
    await bubble.ask(QUESTION);
    // The text is below the message, and also in the line at the top.
    await bubble.log.getByText(CLOSED).waitFor();
    await picture(page, `hours-closed-${name}`);
    assert.deepEqual(await faults(page), []);
    assert.equal(upstream.requests.length, 0);
    assert.equal(await bubble.count(QUESTION), 1);
    assert.deepEqual(seen.errors.filter((line) => !/403|\[Bulle\]/.test(line)), []);
    // The next draft stays in the field, too.
    await bubble.input.fill("And a croissant?");
    await new Owner(edge, "boulangerie-nord").patch("/bots/counter", { settings: hours(["00:00-24:00"]) });
    await bubble.retry.click();
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.input.inputValue(), "And a croissant?");
    assert.equal(await bubble.count(QUESTION), 1);
    assert.equal(upstream.requests.length, 1);
  });
}

test("in a page that stays open, the line changes when the business closes", async () => {
  const owner = new Owner(edge, "boulangerie-nord");
  const { page, bubble, edgeSide, seen } = await visit({ open: false, settings: hours(["00:00-24:00"], { open_text: { en: "We are here until 6." } }) });
  let told = 0;
  await page.route("**/v1/sessions", async (route) => {
    const response = await route.fetch();
    const session = await response.json();
    told += 1;
    // As if it closed in a second.
    if (told === 1) {
      session.bot.hours.good_for_s = 1;
      await owner.patch("/bots/counter", { settings: hours([]) });
    }
    await route.fulfill({ response, json: session });
  });
  await bubble.open();
  await bubble.dialog.getByText(CLOSED).waitFor();
  assert.equal(await bubble.dialog.getByText("We are here until 6.").count(), 0);
  assert.equal(told, 2);
  await bubble.ask(QUESTION);
  await bubble.log.getByText(ANSWER).first().waitFor();
  assert.deepEqual(edgeSide.calls.filter((call) => call.endsWith("/v1/sessions")), []);
  assert.deepEqual(seen.errors, []);
});
