// Waits for conditions. A deadline here ends a failing test, and is far longer than a slow machine needs.
import assert from "node:assert/strict";

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds, long enough for any machine. */
const DEADLINE_MS = 120_000;

/** Waits until `check` returns a truthy value, and returns it. */
export async function until(what, check, { deadline = DEADLINE_MS, every = 25 } = {}) {
  for (const end = Date.now() + deadline; ; await pause(every)) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) assert.fail(`it never came to be that ${typeof what === "function" ? what() : what}`);
  }
}

/** A promise and the function that fulfils it. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { opened, open };
}
