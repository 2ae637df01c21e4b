// Runs test files, several at a time, and counts the results: node e2e/run.mjs [--name PATTERN] FILE… (`cargo xtask
// test e2e` calls it and sets the environment.) Each file is a process of its own; edges and the browser belong to the
// run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { startBrowser } from "./support/browser.mjs";
import { startEdges } from "./support/edges.mjs";

const { values, positionals: files } = parseArgs({ allowPositionals: true, options: { name: { type: "string" } } });
/** The durations of the files for the next run, and the results that xtask reads. */
const { BULLE_TIMES: TIMES, BULLE_RESULT: RESULT } = process.env;
/** The number of files that run at a time: more than there are cores, as they wait half of the time. */
const LANES = Number(process.env.BULLE_LANES ?? availableParallelism() + 1);
/** Deadline of a file, four times what the longest takes; one that exceeds it hangs. */
const LONGEST_MS = 20 * 60_000;

const times = TIMES && existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, "utf8")) : {};
const nameOf = (file) => basename(file, ".test.mjs");

// The longest first, so that none runs alone at the end. The estimate for a new file is its length.
const expected = (file) => times[nameOf(file)] ?? statSync(file).size / 1000;
const queue = files.toSorted((a, b) => expected(b) - expected(a));

// When an edge does not start, its file fails by an HTTP response; the rejected promise remains and must not end the
// run.
process.on("unhandledRejection", (error) => console.error(error));

const folder = await mkdtemp(join(tmpdir(), "bulle-run-"));
const edges = await startEdges();
const browser = await startBrowser();
const running = new Set();
const ended = [];

/** Runs a file; gives its tests, in order, and its seconds. */
async function run(file) {
  const name = nameOf(file);
  const report = join(folder, `${name}.jsonl`);
  const args = ["--disable-warning=ExperimentalWarning", "--test-reporter", join(import.meta.dirname, "support/reporter.mjs"), "--test-reporter-destination", report];
  if (values.name) args.push("--test-name-pattern", values.name);
  const env = { ...process.env, BULLE_EDGES: edges.url, BULLE_BROWSER: browser.wsEndpoint(), BULLE_FILE: name };
  const start = performance.now();
  const child = spawn(process.execPath, [...args, file], { env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  const [code, signal] = await once(child, "exit");
  clearTimeout(timer);
  running.delete(child);
  await edges.release(name);
  const seconds = (performance.now() - start) / 1000;
  const lines = existsSync(report) ? readFileSync(report, "utf8").split("\n").filter(Boolean) : [];
  const tests = lines.map((line) => JSON.parse(line));
  // An error outside of a test counts as a failed test.
  const failed = tests.some(({ outcome }) => outcome === "failed");
  if (!failed && code !== 0) tests.push({ outcome: "failed", name: "the file", error: `ended with ${signal ?? code} after ${Math.round(seconds)} s` });
  if (!values.name && tests.length === 0) tests.push({ outcome: "failed", name: "the file", error: "has no test" });
  return { name, tests, seconds, output };
}

const count = (tests, outcome) => tests.filter((test) => test.outcome === outcome).length;
const summary = (tests) => ["passed", "failed", "skipped"].map((outcome) => [count(tests, outcome), outcome]).filter(([n, outcome]) => n > 0 || outcome !== "skipped").map(([n, outcome]) => `${n} ${outcome}`).join(", ");
const indent = (text) => text.trimEnd().replaceAll(/^/gm, "    ");

function show({ name, tests, seconds, output }) {
  if (values.name && tests.length === 0) return;
  console.log(`${count(tests, "failed") ? "✖" : "✔"} ${name}: ${summary(tests)} (${seconds.toFixed(1)} s)`);
  for (const test of tests) {
    if (test.outcome === "skipped") console.log(`  ﹣ ${test.name}${test.reason ? `: ${test.reason}` : ""}`);
    if (test.outcome === "counted") console.log(`  ${test.name}`);
    if (test.outcome === "failed") console.log(`  ✖ ${test.name} (${test.ms ?? 0} ms)\n${indent(test.error)}`);
  }
  if (output && count(tests, "failed")) console.log(indent(output));
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    for (const child of running) child.kill("SIGKILL");
    await Promise.allSettled([edges.stop(), browser.close()]);
    process.exit(130);
  });
}

async function lane() {
  for (let file; (file = queue.shift()); ) {
    const result = await run(file);
    ended.push(result);
    show(result);
  }
}
await Promise.all(Array.from({ length: LANES }, lane));
await Promise.allSettled([edges.stop(), browser.close(), rm(folder, { recursive: true, force: true })]);

if (TIMES && !values.name) {
  for (const { name, seconds } of ended) times[name] = Math.round(seconds * 10) / 10;
  writeFileSync(TIMES, JSON.stringify(times, null, 1));
}
const all = ended.flatMap(({ name, tests }) => tests.map((test) => ({ ...test, name: `${name}: ${test.name}` })));
const named = (outcome) => all.filter((test) => test.outcome === outcome);
if (RESULT) writeFileSync(RESULT, JSON.stringify({ passed: named("passed").length, failed: named("failed").map(({ name }) => name), skipped: named("skipped").map(({ name, reason }) => (reason ? `${name} (${reason})` : name)) }));
console.log(`\n${summary(all)}`);
process.exitCode = named("failed").length > 0 || all.length === 0 ? 1 : 0;
