// The line about business hours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { visit } from "./support/bakery.mjs";
import { start } from "./support/start.mjs";

start();

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const always = Object.fromEntries(DAYS.map((day) => [day, ["00:00-24:00"]]));
const hours = (more) => ({ hours: { time_zone: "Europe/Paris", weekly: {}, text: { en: "Nobody is here before Monday." }, ...more } });

for (const [name, settings, shown] of [
  ["while it is open, the owner's words are shown", hours({ weekly: always, open_text: { en: "We are here until 6." } }), "We are here until 6."],
  ["while it is open and the owner has no words for that, there is no line", hours({ weekly: always }), undefined],
  ["while it is closed, the owner's words are shown", hours({ open_text: { en: "We are here until 6." } }), "Nobody is here before Monday."],
]) {
  test(name, async () => {
    const { page, bubble, seen } = await visit({ settings });
    await bubble.input.waitFor();
    const line = page.locator("[data-bulle] .state");
    if (shown) await bubble.dialog.getByText(shown, { exact: true }).waitFor();
    assert.equal(await line.count(), shown ? 1 : 0);
    assert.deepEqual(seen.errors, []);
  });
}
