// What a message asks of the platform, counted and not timed: see docs/performance.md. A number that grows is a cost for
// every visitor; a number that falls is written down here.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Visitor, ulid } from "./support/client.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";
import { pause } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const words = (count) => Array.from({ length: count }, (_, n) => `mot${n} `);

let upstream, edge;
before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({ entry: "counted", vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
});
after(async () => {
  upstream?.stop();
  await edge?.stop();
});

/** What was counted since the last call, once nothing more is. */
async function settled() {
  const sum = {};
  for (let quiet = 0; quiet < 4; quiet += 1) {
    const counts = await (await fetch(`${edge.url}/counts`)).json();
    if (Object.keys(counts).some((name) => name !== "clock reads")) quiet = 0;
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
    await pause(50);
  }
  return sum;
}

/** What one call costs. */
async function costs(call) {
  await settled();
  await call();
  return settled();
}

describe("a message with a model", () => {
  test("prints", async () => {
    upstream.behave = (response) => stream(response, answer(words(20)));
    const me = await new Visitor(edge).open();
    await me.conversation();
    (await import("node:fs")).appendFileSync("/tmp/counts.txt", "first" + JSON.stringify(await costs(() => me.ask(QUESTION))) + "\n");
    (await import("node:fs")).appendFileSync("/tmp/counts.txt", "next" + JSON.stringify(await costs(() => me.ask(QUESTION))) + "\n");
    (await import("node:fs")).appendFileSync("/tmp/counts.txt", "next" + JSON.stringify(await costs(() => me.ask(QUESTION))) + "\n");
    upstream.behave = (response) => stream(response, answer(words(100)), { wait: 5 });
    (await import("node:fs")).appendFileSync("/tmp/counts.txt", "long" + JSON.stringify(await costs(() => me.ask(QUESTION))) + "\n");
    const id = ulid();
    upstream.behave = (response) => stream(response, answer(words(20)));
    await me.ask(QUESTION, id);
    (await import("node:fs")).appendFileSync("/tmp/counts.txt", "replay" + JSON.stringify(await costs(() => me.attach())) + "\n");
  });
});
