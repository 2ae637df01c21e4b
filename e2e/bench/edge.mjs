// `cargo xtask bench edge`, against real workerd: the time, CPU and memory that Bulle adds to a model's answer, compared
// with minimal Workers (hono/worker.js and rust/src/lib.rs say what they leave out). Prints tables.
//
// The contestants take turns within a round, in another order each time, and a ratio is that of one round: what else the
// machine does meanwhile affects all of them. Printed are medians of these ratios, with their quartiles.
//
// --only NAMES   some of: latency, message, streams, many
// --rounds N     instead of the rounds of each section
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { pause } from "../support/wait.mjs";
import { direct, empty, startBulle, startHono, startRust } from "./contestants.mjs";
import { ask, startUpstream, words } from "./upstream.mjs";

/** Messages of a visitor: as many as in an hour of conversation, so that windows and histories have a realistic length. */
const PER_VISITOR = 10;

const SHORT = 20;
/** Milliseconds between tokens: without a pause all tokens would be one piece of work, and the first words would be seen at its end. */
const SHORT_PACE_MS = 2;
const WARM_UP = 40;

/** Messages of a contestant in a round, and how many at once. */
const BLOCK = 160;
const AT_ONCE = 16;

/** Streams of a contestant in a round, all at once. */
const STREAMS = { count: 40, tokens: 100, pace: 8 };
const MANY = { count: 500, tokens: 200, pace: 10 };

const SECTIONS = { latency: [latency, 300], message: [messages, 9], streams: [streams, 7], many: [many, 2] };

if (process.platform !== "linux") throw new Error("CPU and memory are read from /proc: this bench runs on Linux only");

const { values: options } = parseArgs({ options: { only: { type: "string" }, rounds: { type: "string" } } });
const wanted = options.only?.split(",") ?? Object.keys(SECTIONS);
for (const name of wanted) {
  if (!SECTIONS[name]) throw new Error(`there is no section ${name}: ${Object.keys(SECTIONS).join(", ")}`);
}

// With state on disk, every awaited write would measure this machine's disk.
process.env.TMPDIR = "/dev/shm";

// wrangler's developer tools trace every call of a Worker, which costs as much as the measured work.
process.env.X_LOCAL_OBSERVABILITY = "false";
process.env.X_LOCAL_EXPLORER = "false";

const servers = [];
try {
  progress("starting");
  const keep = async (starting) => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const upstream = await keep(startUpstream());
  const bulle = await keep(startBulle(upstream));
  const hono = await keep(startHono(upstream, { object: false }));
  const object = await keep(startHono(upstream, { object: true }));
  const rust = await keep(startRust(upstream));

  const version = (name) => `${name} ${createRequire(import.meta.url)(`../../node_modules/${name}/package.json`).version}`;
  console.log(`This machine, ${version("wrangler")}, ${version("workerd")}. Hono is a Worker written by hand: token, site (KV, D1), one`);
  console.log("window (KV), stream, two inserts (D1). Rust passes the stream on through an object, and does nothing else. Neither has");
  console.log("replay, search, prompt, history, Markdown, daily limits or an owner check. Ratios are to Hono with an object, within a");
  console.log("round: median (lower quartile to upper quartile).");
  for (const name of wanted) {
    const [section, rounds] = SECTIONS[name];
    await section({ upstream, bulle, hono, object, rust }, Number(options.rounds ?? rounds));
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}

function progress(what) {
  console.error(`[${performance.now().toFixed(0).padStart(6)} ms] ${what}`);
}

function row(...cells) {
  console.log(cells.map((cell, index) => (index === 0 ? String(cell).padEnd(32) : String(cell).padStart(21))).join(""));
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

function quantile(list, part) {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function median(list) {
  return quantile(list, 0.5);
}

function spread(list) {
  return `${median(list).toFixed(2)} (${quantile(list, 0.25).toFixed(2)}-${quantile(list, 0.75).toFixed(2)})`;
}

/** What each contestant measures in each round: a list of objects of numbers, by contestant. */
async function inRounds(all, rounds, what, measure) {
  const measured = new Map(all.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    progress(`${what}: round ${round + 1} of ${rounds}`);
    const order = all.map((_, index) => all[(index + round) % all.length]);
    for (const contestant of order) measured.get(contestant).push(await measure(contestant));
  }
  return measured;
}

/** The ratios of a number to that of another contestant in the same round. */
function ratios(mine, theirs, name) {
  return mine.map((round, index) => round[name] / theirs[index][name]);
}

/** The CPU seconds of workerd while it works, with the writes after the answers, and the seconds until the last answer. */
async function costs({ workerd }, work) {
  const [cpu, started] = [workerd.cpu(), performance.now()];
  await work();
  const seconds = (performance.now() - started) / 1000;
  await pause(600);
  return { cpu: workerd.cpu() - cpu, seconds };
}

/** One after the other, the contestants in turns. */
async function latency({ upstream, bulle, hono, object, rust }, rounds) {
  const all = [direct(upstream), empty(hono), rust.passed, hono, object, bulle];
  const times = all.map(() => []);
  let asking;
  for (let round = -WARM_UP; round < rounds; round += 1) {
    if (round % 100 === 0) progress(`one after the other: ${round} of ${rounds}`);
    if (round % PER_VISITOR === 0) asking = await Promise.all(all.map((contestant) => contestant.visitor()));
    for (const [index, visitor] of asking.entries()) {
      const answer = await answered(visitor, SHORT, SHORT_PACE_MS);
      if (round >= 0) times[index].push(answer);
      // Waits for the writes after an answer, which must not slow the next one down.
      await pause(10);
    }
  }
  for (const [title, what] of [["first words", "first"], ["the whole answer", "total"]]) {
    console.log(`\nMilliseconds until ${title}, ${rounds} answers of ${SHORT} tokens, one each ${SHORT_PACE_MS} ms, one after the other\n`);
    row("", "p50", "p99", "added p50", "added p99", "ratio of added p50");
    const measured = times.map((list) => list.map((answer) => answer[what]));
    const added = (list, part) => quantile(list, part) - quantile(measured[0], part);
    for (const [index, { name }] of all.entries()) {
      const list = measured[index];
      const ratio = added(list, 0.5) / added(measured[all.indexOf(object)], 0.5);
      row(name, ...[quantile(list, 0.5), quantile(list, 0.99), added(list, 0.5), added(list, 0.99), ratio].map((number) => number.toFixed(2)));
    }
  }
}

async function messages({ bulle, hono, object, rust }, rounds) {
  const all = [hono, object, rust.passed, bulle];
  const block = async (contestant, count) => {
    const people = await visitors(contestant, count / PER_VISITOR);
    return costs(contestant, () =>
      each(people, AT_ONCE, async (visitor) => {
        for (let n = 0; n < PER_VISITOR; n += 1) await answered(visitor, SHORT, 0);
      }));
  };
  for (const contestant of all) await block(contestant, BLOCK);
  const measured = await inRounds(all, rounds, "messages", (contestant) => block(contestant, BLOCK));
  console.log(`\n${rounds} rounds of ${BLOCK} messages, ${AT_ONCE} at once, ${SHORT} tokens without pause; CPU of workerd, its D1 and KV included\n`);
  row("", "CPU ms a message", "ratio", "messages/s", "ratio");
  for (const [contestant, mine] of measured) {
    const theirs = measured.get(object);
    const rate = ratios(theirs, mine, "seconds");
    const [cpu, seconds] = ["cpu", "seconds"].map((name) => median(mine.map((round) => round[name])));
    row(contestant.name, ((cpu / BLOCK) * 1000).toFixed(2), spread(ratios(mine, theirs, "cpu")), (BLOCK / seconds).toFixed(0), spread(rate));
  }
}

/** CPU of long streams at a pace, beside the floors in Rust. */
async function streams({ bulle, object, rust }, rounds) {
  const { count, tokens, pace } = STREAMS;
  const all = [object, rust.passed, rust.pieces, bulle];
  const block = async (contestant) => {
    const people = await visitors(contestant, count);
    return costs(contestant, () => Promise.all(people.map((person) => answered(person, tokens, pace))));
  };
  for (const contestant of all) await block(contestant);
  const measured = await inRounds(all, rounds, "streams", block);
  console.log(`\n${rounds} rounds of ${count} streams at once, ${tokens} tokens, one each ${pace} ms\n`);
  row("", "CPU ms a stream", "ratio", "ratio to Rust", "to Rust's pieces");
  for (const [contestant, mine] of measured) {
    const cpu = median(mine.map((round) => round.cpu));
    const to = (other) => spread(ratios(mine, measured.get(other), "cpu"));
    row(contestant.name, ((cpu / count) * 1000).toFixed(1), to(object), to(rust.passed), to(rust.pieces));
  }
}

async function many({ bulle, object, rust }, rounds) {
  const { count, tokens, pace } = MANY;
  const all = [object, rust.passed, bulle];
  const measured = await inRounds(all, rounds, `${count} streams`, async (contestant) => {
    const people = await visitors(contestant, count);
    contestant.workerd.forgetPeak();
    let lost;
    const cost = await costs(contestant, async () => {
      const ended = await Promise.allSettled(people.map((person) => answered(person, tokens, pace)));
      lost = ended.filter(({ status }) => status === "rejected");
    });
    if (lost.length > 0) progress(`${contestant.name} lost ${lost.length}, the first: ${lost[0].reason.message.slice(0, 300)}`);
    return { ...cost, lost: lost.length, peak: contestant.workerd.memory().peak };
  });
  console.log(`\n${rounds} rounds of ${count} streams at once, ${tokens} tokens, one each ${pace} ms; resident megabytes of workerd\n`);
  row("", "lost", "CPU s", "ratio", "seconds", "ratio", "MB peak");
  for (const [contestant, mine] of measured) {
    const theirs = measured.get(object);
    const number = (name) => median(mine.map((round) => round[name]));
    const lost = mine.reduce((sum, round) => sum + round.lost, 0);
    row(contestant.name, lost, number("cpu").toFixed(1), spread(ratios(mine, theirs, "cpu")), number("seconds").toFixed(1), spread(ratios(mine, theirs, "seconds")), number("peak").toFixed(0));
  }
}
