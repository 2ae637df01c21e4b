// `cargo xtask bench edge`, against real workerd: the time, CPU and memory that Bulle adds to a model's answer,
// compared with a minimal Worker (hono/worker.js says what it leaves out). Prints tables.
import { createRequire } from "node:module";
import { pause } from "../support/wait.mjs";
import { direct, empty, startBulle, startHono } from "./contestants.mjs";
import { ask, startUpstream, words } from "./upstream.mjs";

/** Messages of a visitor: as many as in an hour of conversation, so that windows and histories have a realistic length. */
const PER_VISITOR = 10;

const SHORT = 20;
/** Milliseconds between tokens: without a pause all tokens would be one piece of work, and the first words would be seen at its end. */
const SHORT_PACE_MS = 2;
const ROUNDS = 300;
const WARM_UP = 40;

const MESSAGES = 1_200;
const AT_ONCE = 16;

const LONG = 200;
const PACE_MS = 10;
const STREAMS = 500;

if (process.platform !== "linux") throw new Error("CPU and memory are read from /proc: this bench runs on Linux only");

// With state on disk, every awaited write would measure this machine's disk.
process.env.TMPDIR = "/dev/shm";

// wrangler's developer tools trace every call of a Worker, which costs as much as the measured work.
process.env.X_LOCAL_OBSERVABILITY = "false";
process.env.X_LOCAL_EXPLORER = "false";

const servers = [];
try {
  progress("starting");
  const upstream = await startUpstream();
  servers.push(upstream);
  const bulle = await startBulle(upstream);
  servers.push(bulle);
  const hono = await startHono(upstream, { object: false });
  servers.push(hono);
  const object = await startHono(upstream, { object: true });
  servers.push(object);

  const version = (name) => `${name} ${createRequire(import.meta.url)(`../../node_modules/${name}/package.json`).version}`;
  console.log(`This machine, ${version("wrangler")}, ${version("workerd")}. Hono is a Worker written by hand: token, site (KV, D1), one`);
  console.log("window (KV), stream, two inserts (D1). It has no replay, search, prompt, history, Markdown, daily limits or owner check.");
  await latency([direct(upstream), empty(hono), hono, object, bulle]);
  await throughput([hono, object, bulle]);
  await streams([hono, object, bulle]);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}

function progress(what) {
  console.error(`[${performance.now().toFixed(0).padStart(6)} ms] ${what}`);
}

function row(...cells) {
  console.log(cells.map((cell, index) => (index === 0 ? String(cell).padEnd(34) : String(cell).padStart(13))).join(""));
}

function plain(text) {
  return text.split(/\s+/).filter(Boolean).join(" ");
}

/** Asks for that many tokens and checks that all of them came. */
async function answered(visitor, tokens, ms) {
  const answer = await visitor.ask(ask(tokens, ms));
  const expected = words(tokens).join("");
  if (plain(answer.text) !== plain(expected)) throw new Error(`of ${tokens} tokens came: ${answer.text}`);
  return answer;
}

/** Calls a function for every item, with a bounded number at once. */
async function each(items, atOnce, work) {
  const rest = [...items.entries()];
  const results = [];
  const worker = async () => {
    for (let next; (next = rest.shift()); ) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function visitors(contestant, count) {
  return each(Array(count).fill(contestant), 8, ({ visitor }) => visitor());
}

/** The contestants take turns, so that a disturbance of the machine affects all of them. */
async function latency(all) {
  const times = all.map(() => []);
  let asking;
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    if (round % 100 === 0) progress(`one after the other: ${round} of ${ROUNDS}`);
    if (round % PER_VISITOR === 0) asking = await Promise.all(all.map((contestant) => contestant.visitor()));
    for (const [index, visitor] of asking.entries()) {
      const answer = await answered(visitor, SHORT, SHORT_PACE_MS);
      if (round >= 0) times[index].push(answer);
      // Waits for the writes after an answer, which must not slow the next one down.
      await pause(10);
    }
  }
  for (const [title, what] of [["first words", "first"], ["the whole answer", "total"]]) {
    console.log(`\nMilliseconds until ${title}, ${ROUNDS} answers of ${SHORT} tokens, one each ${SHORT_PACE_MS} ms, one after the other\n`);
    row("", "p50", "p99", "added p50", "added p99", "ratio", "of Hono's");
    const measured = times.map((list) => quantiles(list.map((answer) => answer[what])));
    const [upstream, , hono] = measured;
    for (const [index, { name }] of all.entries()) {
      const { p50, p99 } = measured[index];
      const added = p50 - upstream.p50;
      const numbers = [p50, p99, added, p99 - upstream.p99, p50 / upstream.p50, added / (hono.p50 - upstream.p50)];
      row(name, ...numbers.map((number) => number.toFixed(2)));
    }
  }
}

function quantiles(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(sorted.length * part)];
  return { p50: at(0.5), p99: at(0.99) };
}

async function throughput(all) {
  console.log(`\n${MESSAGES} messages, ${AT_ONCE} at once, ${SHORT} tokens without delay; CPU of workerd, its D1 and KV included\n`);
  row("", "messages/s", "ratio", "CPU ms each", "ratio");
  let baseline;
  for (const contestant of all) {
    progress(`as many as possible: ${contestant.name}`);
    const people = await visitors(contestant, MESSAGES / PER_VISITOR);
    const [cpu, started] = [contestant.workerd.cpu(), performance.now()];
    await each(people, AT_ONCE, async (visitor) => {
      for (let n = 0; n < PER_VISITOR; n += 1) await answered(visitor, SHORT, 0);
    });
    const rate = (MESSAGES / (performance.now() - started)) * 1000;
    // The writes after the answers are included.
    await pause(2_000);
    const each_ms = ((contestant.workerd.cpu() - cpu) / MESSAGES) * 1000;
    baseline ??= { rate, each_ms };
    row(contestant.name, rate.toFixed(0), (rate / baseline.rate).toFixed(2), each_ms.toFixed(2), (each_ms / baseline.each_ms).toFixed(2));
  }
}

async function streams(all) {
  console.log(`\n${STREAMS} streams at once of ${LONG} tokens, one each ${PACE_MS} ms; resident megabytes of workerd\n`);
  row("", "complete", "lost", "seconds", "ratio", "CPU s", "MB before", "MB peak", "MB after", "peak ratio");
  let baseline;
  for (const { name, visitor, workerd } of all) {
    progress(`streams: ${name}`);
    const people = await visitors({ visitor }, STREAMS);
    workerd.forgetPeak();
    const [before, cpu, started] = [workerd.memory(), workerd.cpu(), performance.now()];
    const ended = await Promise.allSettled(people.map((person) => answered(person, LONG, PACE_MS)));
    const seconds = (performance.now() - started) / 1000;
    const { peak } = workerd.memory();
    await pause(5_000);
    const lost = ended.filter(({ status }) => status === "rejected");
    if (lost.length > 0) progress(`${name} lost ${lost.length}, the first: ${lost[0].reason.message.slice(0, 300)}`);
    baseline ??= { seconds, peak };
    row(
      name, STREAMS - lost.length, lost.length, seconds.toFixed(1), (seconds / baseline.seconds).toFixed(2), (workerd.cpu() - cpu).toFixed(1),
      ...[before.now, peak, workerd.memory().now].map((megabytes) => megabytes.toFixed(0)), (peak / baseline.peak).toFixed(2),
    );
  }
}
