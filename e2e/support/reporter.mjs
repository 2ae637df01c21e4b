// A reporter of node:test that writes a line of JSON for each test, and for each diagnostic that begins
// with "counts: ", for run.mjs to read.
import { inspect } from "node:util";

export default async function* (events) {
  /** Names of the tests that are open, the outermost first. */
  const path = [];
  for await (const { type, data } of events) {
    if (type === "test:start") path.splice(data.nesting, Infinity, data.name);
    if (type === "test:diagnostic" && data.message.startsWith("counts: ")) yield `${JSON.stringify({ outcome: "counted", name: data.message })}\n`;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { error, type: kind } = data.details;
    // A suite fails as its tests fail. It is counted when it has failed by itself, or is skipped with all its tests.
    const isSkipped = data.skip !== undefined || data.todo !== undefined;
    if (error?.failureType === "subtestsFailed" || (kind === "suite" && !error && !isSkipped)) continue;
    const outcome = error ? "failed" : isSkipped ? "skipped" : "passed";
    const name = [...path.slice(0, data.nesting), data.name].join(" › ");
    const reason = typeof data.skip === "string" ? data.skip : undefined;
    yield `${JSON.stringify({ outcome, name, reason, ms: Math.round(data.details.duration_ms), error: error && inspect(error.cause ?? error) })}\n`;
  }
}
