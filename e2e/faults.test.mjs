// Every fault of a model, for every vendor, against real workerd: the visitor gets a whole answer or an error, nothing
// is lost or counted twice, and the record has the outcome.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { Visitor, assemble, events, text, ulid } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { gate, until } from "./support/wait.mjs";
import { INPUT_TOKENS, VENDORS, refuses, says, sends, startVendors } from "./support/vendors.mjs";

const QUESTION = "Et ta cuisine, saperlipopette ?";
const WORDS = ["J'ai ", "**8 ", "ans** ", "d'ex", "périence 🫧", ". Fin."];
const WHOLE = "J'ai 8 ans d'expérience 🫧. Fin.";
const HALF = "J'ai 8 ans";
const OWN_LINE = "Revenez plus tard.";
const SECRET = "what-a-vendor-says";
const KEYS = { openai: ["sk-first-key", "sk-second-key"], anthropic: ["sk-third-key"], gemini: ["sk-fourth-key"] };
const NAMES = Object.keys(VENDORS);

/** Checks the chain of a reply: which models were asked, and the outcome of each. */
function wrote({ reply_id, usage }, expected) {
  const rows = database.prepare("SELECT * FROM model_call WHERE id LIKE ? ORDER BY CAST(substr(id, 28) AS INTEGER)").all(`${reply_id}/%`);
  assert.deepEqual(rows.map(({ provider, outcome }) => `${provider} ${outcome}`), expected);
  const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
  if (usage) assert.deepEqual([sum("input_tokens"), sum("output_tokens")], [usage.input_tokens, usage.output_tokens], "counted once");
}

const begun = (vendor) => [...VENDORS[vendor].head(), ...WORDS.slice(0, 3).map(VENDORS[vendor].word)];
const then = (event) => (vendor) => [...begun(vendor), typeof event === "function" ? event(VENDORS[vendor]) : event];
const part = (word, at) => (vendor) => Buffer.from(vendor.word(word)).subarray(0, at(Buffer.from(vendor.word(word))));
const half = part(WORDS[3], (bytes) => bytes.length >> 1);
const inCharacter = part(WORDS[4], (bytes) => bytes.indexOf("🫧") + 2);
const whole = (options) => (vendor) => says(vendor, WORDS, options);
const pings = Array(1_200).fill(": ping\n\n");
const huge = `data: {"x":"${"a".repeat(1_200_000)}"}\n\n`;
const keys = (vendor) => KEYS[vendor]?.length ?? 1;
const refused = (tries) => (vendor) => Array(tries(vendor)).fill("refused");
const always = (outcome, tries = 1) => () => Array(tries).fill(outcome);
// Short for a test, and long enough for a busy machine, because successful answers have the same deadlines.
const QUICK = { connect_ms: 6_000, first_token_ms: 6_000, between_tokens_ms: 6_000 };

/** Faults before the first word: the next model of the chain answers. `free`: no model has done work, so nothing is counted. */
const BEFORE = [
  ["a connection that is reset", ({ response }) => response.destroy(), always("unreachable", 3), { free: true }],
  ["401", refuses(401, { message: SECRET }), refused(keys), { free: true }],
  ["404", refuses(404), refused(() => 1), { free: true }],
  ["429", refuses(429), refused((vendor) => keys(vendor) + 2), { free: true }],
  ["429 for long", refuses(429, { retryAfter: 60 }), refused(keys), { free: true }],
  ["500", refuses(500), refused(() => 3), { free: true }],
  ["503", refuses(503), refused(() => 3), { free: true }],
  ["silence", sends([], { before: 60_000 }), always("timed_out"), { timeouts: QUICK }],
  ["a head, then silence", sends([], { end: false }), always("timed_out"), { timeouts: QUICK }],
  ["a page", sends(["<h1>Hello</h1>"]), always("undecodable")],
  ["a cut in the first event", sends((vendor) => [half(VENDORS[vendor])], { end: "cut" }), always("unreachable", 3)],
  ["nonsense", sends([`data: <html>${SECRET}\n\n`]), always("undecodable")],
  ["an error event", sends((vendor) => [VENDORS[vendor].error(SECRET)]), always("unreachable", 3)],
  ["a huge event", sends([huge]), always("undecodable")],
  ["a content filter", sends((vendor) => says(vendor, [], { reason: "filter" })), always("filtered")],
  ["a tool call", sends((vendor) => [...VENDORS[vendor].head(), VENDORS[vendor].tool(), ...says(vendor, [], { reason: "tool" })]), always("empty", 2)],
  ["an empty answer", sends((vendor) => says(vendor, [])), always("empty", 2)],
];

/** Faults after the first words: the text stays, and a retry continues it. */
const AFTER = [
  ["a cut in an event", sends(then(half), { end: "cut" })],
  ["a cut in a character", sends(then(inCharacter), { end: "cut" })],
  ["an end without a finish reason", sends((vendor) => says(vendor, WORDS.slice(0, 3), { reason: null, marker: vendor !== "workers_ai" }))],
  ["nonsense", sends(then(`data: {${SECRET}\n\n`)), { outcome: "undecodable" }],
  ["an error event", sends(then((vendor) => vendor.error(SECRET)))],
  ["a huge event", sends(then(huge)), { outcome: "undecodable" }],
  ["a content filter", sends((vendor) => says(vendor, WORDS.slice(0, 3), { reason: "filter" })), { outcome: "filtered" }],
  ["silence", sends(begun, { end: false }), { timeouts: QUICK }],
  ["keep-alives and no more words", sends((vendor) => [...begun(vendor), ...pings], { wait: 50 }), { timeouts: { total_ms: 6_000 } }],
];

/** Unusual responses that are not faults. */
const HARMLESS = [
  ["every byte a chunk", [sends((vendor) => Array.from(Buffer.from(whole()(vendor).join("")), (byte) => Buffer.from([byte])))]],
  ["lines that end in CRLF", [sends((vendor) => whole()(vendor).map((event) => event.replaceAll("\n", "\r\n")))]],
  ["no end marker", [sends(whole({ marker: false }))], { not: "workers_ai" }],
  ["no blank line behind the last event", [sends((vendor) => [whole()(vendor).join("").trimEnd()])]],
  ["keep-alives for longer than a silence may last", [sends((vendor) => [...pings.slice(0, 8), ...whole()(vendor)], { wait: 1_000 })], { timeouts: QUICK }],
  ["a first word that is late", [sends(whole(), { before: 1_200 })]],
  ["an end that leaves the connection open", [sends(whole(), { end: false })], { timeouts: QUICK }],
  ["a cut after the end", [sends(whole(), { end: "cut" })]],
  ["no usage", [sends(whole({ usage: "missing" }))], { estimated: () => true }],
  // Of these two vendors, only the last count is complete.
  ["usage at the beginning", [sends(whole({ usage: "early" }))], { estimated: (vendor) => ["anthropic", "gemini"].includes(vendor) }],
  ["usage at the end", [sends(whole({ usage: "late" }))]],
  ["429 for a second", [refuses(429, { retryAfter: 1 }), sends(whole())], { first: ["refused"] }],
  ["a 503 that passes", [refuses(503), sends(whole())], { first: ["refused"] }],
  ["a length that was reached", [sends((vendor) => says(vendor, WORDS.slice(0, 3), { reason: "length" })), sends((vendor) => says(vendor, WORDS.slice(3)))], { first: ["truncated"], input: 2 * INPUT_TOKENS, not: "workers_ai" }],
];

/** Every fault with every vendor; otherwise every fault with the first vendor, and five of them with each other vendor. */
const EVERY = process.env.BULLE_WHOLE === "1";
const SAMPLE = Math.ceil((BEFORE.length + AFTER.length + HARMLESS.length) / 5);
/** Whether the nth vendor has the fault: each of the others has a different selection. */
const isTried = (n, row) => EVERY || n === 0 || ([...BEFORE, ...AFTER, ...HARMLESS].indexOf(row) + 2 * n) % SAMPLE === 0;

/** An address without a server. */
async function closedPort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/v1`;
}
const NO_SUCH_NAME = "http://nobody.invalid/v1";

let vendors, edge, database;
before(async () => {
  vendors = await startVendors();
  edge = await startEdge({
    entry: "workers-ai",
    vars: {
      AI_URL: vendors.url("workers_ai"),
      OPENAI_BASE_URL: vendors.url("openai"),
      OPENAI_API_KEY: KEYS.openai[0],
      OPENAI_API_KEY_2: KEYS.openai[1],
      OPENAI_MODEL: "of-the-deployment",
      ANTHROPIC_BASE_URL: vendors.url("anthropic"),
      ANTHROPIC_API_KEY: KEYS.anthropic[0],
      GEMINI_BASE_URL: vendors.url("gemini"),
      GEMINI_API_KEY: KEYS.gemini[0],
      GROQ_BASE_URL: await closedPort(),
      OPENROUTER_BASE_URL: NO_SUCH_NAME,
    },
  });
  database = openDatabase(edge);
  for (const vendor of [...NAMES, "groq", "openrouter"]) owners[vendor] = await Owner.with(edge, vendor.replace("_", "-"));
});
after(async () => {
  database?.close();
  await edge?.stop();
  vendors?.stop();
});

const owners = {};
let bots = 0;

/** A visitor of a new bot with these models; `alternatives` are of the form [vendor, name]. */
async function visitor([provider, name], { alternatives = [], on = edge, owner = owners[provider], ...model } = {}) {
  const id = `b${(bots += 1)}`;
  const others = alternatives.map(([provider, name]) => ({ provider, name }));
  const settings = { name: "Bot", locale: "fr", limits: GENEROUS, persona: { fallback: { fr: [OWN_LINE] } }, model: { provider, name, alternatives: others, ...model } };
  await owner.post("/bots", { id, settings });
  const site = await owner.post("/sites", { bot_id: id, name: id, origins: [on.site] });
  return new Visitor(on, { site: site.key }).open();
}

/** The end of a turn, which is the same when streamed, replayed and stored; `list` is its last attempt. */
async function ended(me, list, status, earlier = []) {
  const [{ items }, again] = await Promise.all([me.history(), me.attach()]);
  assert.deepEqual(items.map(({ role, text }) => (role === "user" ? text : role)), [QUESTION, "assistant"]);
  assert.equal(items[1].status, status);
  assert.deepEqual(items[1].blocks, assemble(list));
  assert.deepEqual(again, [...earlier, ...list]);
  return list.at(-1);
}

async function answered(me, list, [provider, finish], said, earlier) {
  assert.equal(text(assemble(list)), said);
  const { event, data } = await ended(me, list, "complete", earlier);
  assert.deepEqual([event, data.provider, data.finish], ["done", provider, finish]);
  return data;
}

/**
 * How many of the last calls for a message failed while the edge stood still, as it may on a busy machine: these are not counted.
 * Waits for the log, which has a line for each of the `failed` calls of the question and of its retry.
 */
async function stoodStill(id, vendor, failed) {
  const notes = () => edge.log().split("\n").filter((line) => line.includes(id) && line.includes(`${vendor} failed: `));
  const all = await until("the log has every call", () => notes().length >= 2 * failed && notes());
  return all.slice(-failed).filter((line) => line.includes("the edge itself stood still")).length;
}

const counted = (input = INPUT_TOKENS) => ({ input_tokens: input, output_tokens: WORDS.length });
const steps = (provider, outcomes) => outcomes.map((outcome) => `${provider} ${outcome}`);
const modelName = (vendor, fault, mode) => `${vendor}-${fault}-${mode}`.replaceAll(/[^\w]+/g, "-");

/** The behaviours of a model of this vendor; the other one's comes next in its chain. */
function faultsOf(vendor, n) {
  const other = NAMES[(n + 1) % NAMES.length];
  test("alone and unknown: the owner's line", async () => {
    const model = `${vendor}-alone`;
    vendors.does(model, refuses(404));
    const me = await visitor([vendor, model]);
    const done = await answered(me, await me.ask(QUESTION), ["persona", "fallback"], OWN_LINE);
    wrote(done, [`${vendor} refused`, "persona answered"]);
  });

  const tried = (list) => list.filter((row) => isTried(n, row));
  for (const [fault, script, outcomes, { free = false, timeouts = {} } = {}] of tried(BEFORE)) {
    const failed = outcomes(vendor);
    test(`${fault}: the owner's line while nobody answers, and a retry is answered by the next model`, async () => {
      const model = modelName(vendor, fault, "before");
      const requests = vendors.does(model, script);
      const next = vendors.does(`${model}-next`, refuses(404), sends(whole()));
      const me = await visitor([vendor, model], { alternatives: [[other, `${model}-next`]], timeouts });
      const id = ulid();
      const list = await me.ask(QUESTION, id);
      const nothing = await answered(me, list, ["persona", "fallback"], OWN_LINE);
      if (free) assert.deepEqual(nothing.usage, { input_tokens: 0, output_tokens: 0 });
      wrote(nothing, [...steps(vendor, failed), `${other} refused`, "persona answered"]);
      const again = await me.ask(QUESTION, id, { retry: true });
      const done = await answered(me, again, [other, "stop"], WHOLE, list);
      if (free) assert.deepEqual(done.usage, counted());
      else {
        // Every other failed call is counted; its answer is, in any case.
        const extra = (await stoodStill(id, vendor, failed.length)) < failed.length ? 1 : 0;
        assert.ok(done.usage.input_tokens >= INPUT_TOKENS + extra && done.usage.output_tokens >= WORDS.length, JSON.stringify(done.usage));
      }
      wrote(done, [...steps(vendor, failed), `${other} answered`]);
      assert.deepEqual([requests.length, next.length], [2 * failed.length, 2]);
    });
  }

  for (const [fault, script, { outcome = "interrupted", timeouts = {} } = {}] of tried(AFTER)) {
    // For every second fault, the model itself continues.
    const itself = (n + AFTER.findIndex((row) => row[1] === script)) % 2 === 0;
    test(`${fault} after some words: they stay, and on a retry ${itself ? "it" : "another model"} goes on`, async () => {
      const model = modelName(vendor, fault, "after");
      const rest = sends((vendor) => says(vendor, WORDS.slice(3)));
      const requests = vendors.does(model, script, itself ? rest : refuses(404));
      const next = vendors.does(`${model}-next`, rest);
      const me = await visitor([vendor, model], { alternatives: [[other, `${model}-next`]], timeouts });
      const id = ulid();
      const list = await me.ask(QUESTION, id);
      assert.equal(text(assemble(list)).trim(), HALF);
      const { event, data } = await ended(me, list, "failed");
      assert.deepEqual([event, data.code], ["error", "upstream_interrupted"]);
      assert.match(data.message, /conservé/);
      wrote({ reply_id: list[0].data.reply_id }, [`${vendor} ${outcome}`]);
      assert.equal(next.length, 0, "what was read is not replaced");
      const again = await me.ask(QUESTION, id, { retry: true });
      const done = await answered(me, again, [itself ? vendor : other, "stop"], WHOLE, list);
      wrote(done, itself ? [`${vendor} answered`] : [`${vendor} refused`, `${other} answered`]);
      if (itself) assert.deepEqual([requests.length, next.length], [2, 0]);
    });
  }

  test("a cut after any byte: what was written stays, and nothing is made up", async () => {
    const name = `${vendor}-cut-anywhere`;
    const bytes = Buffer.from(whole()(vendor).join(""));
    let at;
    // A successful answer after each keeps the circuit closed.
    vendors.does(name, (call) => sends(at === undefined ? whole() : [bytes.subarray(0, at)], { end: at === undefined || "cut" })(call));
    const me = await visitor([vendor, name]);
    for (const cut of Array.from({ length: 12 }, (_, n) => Math.floor((bytes.length * (n + 0.5)) / 12))) {
      at = cut;
      me.conversationId = undefined;
      const list = await me.ask(QUESTION);
      const { event, data } = await ended(me, list, list.at(-1).event === "done" ? "complete" : "failed");
      const shown = text(assemble(list));
      const bare = shown.trim().replace("**", "");
      const end = [event, data.code ?? data.finish].join(" ");
      const honest = { "done fallback": shown === OWN_LINE, "error upstream_interrupted": bare !== "" && WHOLE.startsWith(bare), "done stop": shown === WHOLE };
      assert.ok(honest[end], `cut at ${cut} of ${bytes.length}: ${end}, ${shown}`);
      at = undefined;
      me.conversationId = undefined;
      assert.equal((await me.ask(QUESTION)).at(-1).data.finish, "stop");
    }
  });

  for (const [fault, scripts, { not, timeouts = {}, first = [], input, estimated = () => false } = {}] of tried(HARMLESS)) {
    if (not === vendor) continue;
    test(`${fault}: a whole answer`, async () => {
      const model = modelName(vendor, fault, "whole");
      const requests = vendors.does(model, ...scripts);
      const next = vendors.does(`${model}-next`, sends(whole()));
      const me = await visitor([vendor, model], { alternatives: [[other, `${model}-next`]], timeouts });
      const done = await answered(me, await me.ask(QUESTION), [vendor, "stop"], WHOLE);
      if (estimated(vendor)) assert.ok(done.usage.estimated && done.usage.input_tokens > 0 && done.usage.output_tokens > 0, JSON.stringify(done.usage));
      else assert.deepEqual(done.usage, counted(input));
      wrote(done, steps(vendor, [...first, "answered"]));
      assert.deepEqual([requests.length, next.length], [first.length + 1, 0]);
    });
  }
}

/** Posts the question, reads events up to the first one for which `enough` is true, and leaves. */
async function leavesAt(me, id, enough) {
  const leave = new AbortController();
  const response = await me.post({ id, text: QUESTION }, { signal: leave.signal });
  const seen = [];
  if (!enough) leave.abort();
  for await (const event of events(response)) {
    seen.push(event);
    if (enough(event, seen)) break;
  }
  leave.abort();
  return seen;
}

/** The first event with a word. */
const aWord = ({ event }) => event === "block";
const cancel = (me) => me.fetch(`/v1/conversations/${me.conversationId}/cancel`, { method: "POST" });

/** These tests have an edge of their own, because they kill it. */
function machine() {
  let state, own, owner;
  const start = (vars, port) => startEdge({ state, port, vars: { OPENAI_BASE_URL: vendors.url("openai"), OPENAI_MODEL: "m", ...vars } });
  before(async () => {
    state = await stateFolder();
    own = await start({ ANTHROPIC_BASE_URL: await closedPort(), GEMINI_BASE_URL: NO_SUCH_NAME });
    owner = await Owner.with(own, "machine");
  });
  after(async () => {
    await own?.kill();
    await rm(state, { recursive: true, force: true });
  });

  /** Models that cannot be reached are passed over. */
  const unreachable = () => Promise.all(["anthropic", "gemini"].map(async (vendor) => {
    vendors.does(`beside-${vendor}`, sends(whole()));
    const name = `far-${ulid()}`;
    const me = await visitor([vendor, name], { alternatives: [["openai", `beside-${vendor}`]], on: own, owner });
    await answered(me, await me.ask(QUESTION), ["openai", "stop"], WHOLE);
    const alone = await visitor([vendor, name], { on: own, owner });
    await answered(alone, await alone.ask(QUESTION), ["persona", "fallback"], OWN_LINE);
  }));

  test("a machine that fails in the middle of answers loses none of them", async () => {
    await unreachable();
    const begins = async (name, ...scripts) => {
      vendors.does(name, ...scripts);
      const me = await visitor(["openai", name], { on: own, owner });
      await me.conversation();
      return { me, id: ulid() };
    };
    const finished = await begins("killed-finished", sends(whole()));
    finished.list = await finished.me.ask(QUESTION, finished.id);
    const hanging = sends(begun, { end: false });
    const writing = await begins("killed-writing", hanging, sends(whole()));
    const waiting = await begins("killed-waiting", sends([], { end: false }), sends(whole()));
    const sending = await begins("killed-sending", sends(whole(), { wait: 100 }));
    const seen = await Promise.all([leavesAt(writing.me, writing.id, aWord), leavesAt(waiting.me, waiting.id, () => true)]);
    const unsure = sending.me.post({ id: sending.id, text: QUESTION }).catch(() => {});
    await own.kill();
    await unsure;
    own = await start({ ANTHROPIC_BASE_URL: NO_SUCH_NAME, GEMINI_BASE_URL: await closedPort() }, own.port);
    // The turn that had ended is unchanged.
    await answered(finished.me, await finished.me.attach(), ["openai", "stop"], WHOLE);
    assert.deepEqual(await finished.me.attach(), finished.list);
    for (const [n, { me, id }] of [writing, waiting].entries()) {
      assert.equal((await me.history()).items[0].text, QUESTION);
      const rest = await me.attach(seen[n].at(-1).id);
      // Before the end stand at most events that were stored and had not arrived.
      const last = rest.pop();
      assert.deepEqual([last.event, last.data.code], ["error", "interrupted"]);
      assert.ok(rest.every(({ event }) => ["block", "append"].includes(event)), JSON.stringify(rest));
      await until("the failed answer", async () => (await me.history()).items.length === 2);
      assert.equal((await me.history()).items[1].status, "failed");
      assert.deepEqual((await me.attach()).at(-1), last);
      const again = await me.ask(QUESTION, id, { retry: true });
      assert.equal(text(assemble(again)), WHOLE);
      assert.equal(text(assemble([...seen[n], ...(await me.attach(seen[n].at(-1).id))])), WHOLE);
    }
    // A visitor without an acknowledgement sends the message again.
    const { me, id } = sending;
    const list = await me.ask(QUESTION, id);
    const again = list.at(-1).event === "done" ? list : await me.ask(QUESTION, id, { retry: true });
    assert.equal(text(assemble(again)), WHOLE);
    for (const { me } of [writing, waiting, sending]) {
      const { items } = await me.history();
      assert.deepEqual(items.map(({ role, status }) => [role, status]), [["user", "complete"], ["assistant", "complete"]]);
    }
    await unreachable();
  });
}

// Most of the start of an edge is waiting.
describe("models", { concurrency: 2 }, () => {
  describe("on a machine that fails", machine);
  for (const [n, vendor] of NAMES.entries()) describe(vendor, { concurrency: 12 }, () => faultsOf(vendor, n));
});

describe("the way to a model", { concurrency: 4 }, () => {
  for (const [fault, provider] of [["a port where nobody listens", "groq"], ["a name that nobody has", "openrouter"]]) {
    test(`${fault}: the next model answers`, async () => {
      const model = `${provider}-next`;
      vendors.does(model, sends(whole()));
      const me = await visitor([provider, "any"], { alternatives: [["openai", model]] });
      const done = await answered(me, await me.ask(QUESTION), ["openai", "stop"], WHOLE);
      assert.deepEqual(done.usage, counted());
      wrote(done, [...steps(provider, Array(3).fill("unreachable")), "openai answered"]);
    });

    test(`${fault}, alone: the owner's line`, async () => {
      const me = await visitor([provider, "another"]);
      const done = await answered(me, await me.ask(QUESTION), ["persona", "fallback"], OWN_LINE);
      wrote(done, [...steps(provider, Array(3).fill("unreachable")), "persona answered"]);
    });
  }

  test("a chain is walked to its last model, whatever is wrong with those before it", async () => {
    const does = (name, script) => (vendors.does(`walk-${name}`, script), [name, `walk-${name}`]);
    const alternatives = [
      does("anthropic", sends(says("anthropic", [], { reason: "filter" }))),
      does("gemini", sends([], { end: false })),
      ["groq", "closed"],
      ["mistral", "not-configured"],
      does("workers_ai", sends(whole())),
    ];
    const me = await visitor(does("openai", refuses(404)), { alternatives, timeouts: QUICK });
    const done = await answered(me, await me.ask(QUESTION), ["workers_ai", "stop"], WHOLE);
    const unreachable = steps("groq", Array(3).fill("unreachable"));
    wrote(done, ["openai refused", "anthropic filtered", "gemini timed_out", ...unreachable, "mistral unconfigured", "workers_ai answered"]);
  });

  test("a key that is refused is passed over for the other", async () => {
    let bad;
    const requests = vendors.does("keys", (call) => {
      bad ??= call.asked.key;
      return (call.asked.key === bad ? refuses(401) : sends(whole()))(call);
    });
    const me = await visitor(["openai", "keys"]);
    wrote(await answered(me, await me.ask(QUESTION), ["openai", "stop"], WHOLE), ["openai refused", "openai answered"]);
    for (let n = 0; n < 4; n += 1) assert.equal((await me.ask(QUESTION)).at(-1).data.finish, "stop");
    assert.deepEqual([...new Set(requests.map(({ key }) => key))].sort(), KEYS.openai);
  });
});

test("a model that fails again and again is left alone, then one visitor tries it for all", async () => {
  const name = "of-the-deployment";
  const { opened, open } = gate();
  const requests = vendors.does(name, ...Array(3).fill(refuses(404)), sends(whole(), { before: opened }), sends(whole()));
  const me = await visitor(["openai", undefined]);
  const ask = async () => {
    me.conversationId = undefined;
    return (await me.ask(QUESTION)).at(-1).data;
  };
  const health = async () => (await (await fetch(`${edge.url}/health`)).json()).checks.find(({ name }) => name === "model").detail;
  for (let n = 0; n < 3; n += 1) assert.equal((await ask()).finish, "fallback");
  assert.match(await health(), /openai\/of-the-deployment \(not asked for a while: it failed too often\)/);
  const resting = await ask();
  wrote(resting, ["openai circuit_open", "persona answered"]);
  assert.deepEqual([resting.finish, requests.length], ["fallback", 3]);
  await until("the log says so", () => /openai is not asked for a while: it failed too often/.test(edge.log()));
  // The circuit's half minute is over.
  const blobs = join(edge.state, "v3/kv/local-kv/blobs");
  for (const blob of await readdir(blobs)) {
    const stored = await readFile(join(blobs, blob), "utf8");
    if (/"failures":3/.test(stored)) await writeFile(join(blobs, blob), stored.replace(/("until_ms":)\d{13}/, "$11000000000000"));
  }
  await until("the isolate has read it again", async () => !/not asked/.test(await health()));
  const probe = ask();
  await until("the probe", () => requests.length === 4);
  assert.deepEqual([(await ask()).finish, (await ask()).finish], ["fallback", "fallback"]);
  open();
  assert.equal((await probe).finish, "stop");
  assert.equal(requests.length, 4, "one is enough");
  assert.doesNotMatch(await health(), /not asked/);
  assert.equal((await ask()).finish, "stop");
});

describe("a visitor", { concurrency: 12 }, () => {
  test("whose connection is cut at any event reads the same answer, asked once", async () => {
    const requests = vendors.does("cut-at-any-event", sends(whole(), { wait: 60 }));
    const me = await visitor(["openai", "cut-at-any-event"]);
    const { length } = await me.ask(QUESTION);
    assert.ok(length > 6, `${length} events`);
    const one = async (_, most) => {
      const own = Object.assign(new Visitor(edge, { site: me.site }), { token: me.token });
      await own.conversation();
      const id = ulid();
      const seen = most === 0 ? (await own.post({ id, text: QUESTION }).then((response) => response.body.cancel()), []) : await leavesAt(own, id, (_, seen) => seen.length === most);
      // One half resumes with the `after` parameter as the bubble does, the other with `Last-Event-ID` as an
      // EventSource does.
      const last = seen.at(-1)?.id;
      const header = most % 2 && last ? { "last-event-id": last } : {};
      const query = most % 2 === 0 && last ? `?after=${encodeURIComponent(last)}` : "";
      const response = await own.fetch(`/v1/conversations/${own.conversationId}/events${query}`, { headers: header });
      const rest = await Array.fromAsync(events(response));
      await answered(own, [...seen, ...rest], ["openai", "stop"], WHOLE);
      assert.deepEqual(await own.ask(QUESTION, id), [...seen, ...rest]);
    };
    await Promise.all(Array.from({ length: length + 1 }, one));
    assert.equal(requests.length, 1 + length + 1);
  });

  for (const vendor of NAMES) {
    /** The following words come much later. */
    const slowly = sends((vendor) => [begun(vendor).join(""), ...WORDS.slice(3).map(VENDORS[vendor].word)], { wait: 25_000 });

    test(`who stops an answer hangs up on ${vendor} before its next word, and what was written stays`, async () => {
      const requests = vendors.does(`${vendor}-stopped`, slowly);
      const me = await visitor([vendor, `${vendor}-stopped`]);
      const response = await me.post({ id: ulid(), text: QUESTION });
      const list = [];
      let stopped;
      for await (const event of events(response)) {
        list.push(event);
        if (!stopped && aWord(event)) {
          stopped = performance.now();
          assert.equal((await cancel(me)).status, 204);
        }
      }
      assert.equal(text(assemble(list)).trim(), HALF);
      const { event, data } = await ended(me, list, "stopped");
      assert.deepEqual([event, data.finish], ["done", "stopped"]);
      wrote(data, [`${vendor} stopped`]);
      await until("the end of the connection", () => requests[0].closed);
      assert.ok(requests[0].closed - stopped < 20_000, `after ${requests[0].closed - stopped} ms`);
      assert.equal(requests[0].sent, 1);
    });

    test(`who stops ${vendor} before its first word is not answered`, async () => {
      const requests = vendors.does(`${vendor}-unwanted`, sends(whole(), { before: 60_000 }));
      const me = await visitor([vendor, `${vendor}-unwanted`]);
      const asked = me.post({ id: ulid(), text: QUESTION }).then((response) => Array.fromAsync(events(response)));
      await until("the request", () => requests.length === 1);
      await cancel(me);
      const list = await asked;
      const { data } = await ended(me, list, "stopped");
      assert.deepEqual([data.finish, text(assemble(list))], ["stopped", ""]);
      await until("the end of the connection", () => requests[0].closed);
      assert.equal(requests[0].sent, 0);
    });

    test(`who leaves for good hangs up on ${vendor} where the owner wants that`, async () => {
      const requests = vendors.does(`${vendor}-left`, sends((vendor) => [begun(vendor).join(""), ...Array(600).fill(VENDORS[vendor].word("mot "))], { wait: 150 }));
      const me = await visitor([vendor, `${vendor}-left`], { abandoned_after_seconds: 0 });
      const seen = await leavesAt(me, ulid(), aWord);
      await until("the end of the connection", () => requests[0].closed);
      const list = await me.attach();
      assert.deepEqual(list.slice(0, seen.length), seen);
      assert.equal((await ended(me, list, "stopped")).data.finish, "stopped");
    });
  }

  test("who leaves is written to otherwise", async () => {
    const requests = vendors.does("left", sends(whole(), { wait: 100 }));
    const me = await visitor(["openai", "left"]);
    await leavesAt(me, ulid(), aWord);
    await until("the end", async () => (await me.history()).items.length === 2);
    await answered(me, await me.attach(), ["openai", "stop"], WHOLE);
    assert.deepEqual([requests.length, requests[0].sent], [1, whole()("openai").length]);
  });

  test("who is back in time is not taken for one who has left", async () => {
    vendors.does("back", sends((vendor) => whole()(vendor), { wait: 900 }));
    const me = await visitor(["openai", "back"], { abandoned_after_seconds: 5 });
    const seen = await leavesAt(me, ulid(), aWord);
    await answered(me, [...seen, ...(await me.attach(seen.at(-1).id))], ["openai", "stop"], WHOLE);
  });
});

test("no key, no word of a model and no question is in the log", () => {
  const log = edge.log();
  for (const vendor of NAMES) assert.match(log, new RegExp(`${vendor} failed: `));
  for (const secret of [...Object.values(KEYS).flat(), SECRET, "saperlipopette", "périence", "J'ai"]) assert.ok(!log.includes(secret), secret);
  for (const [name, { requests }] of vendors.models) {
    for (const { key, text } of requests) {
      assert.ok(key === undefined || Object.values(KEYS).flat().includes(key), name);
      assert.ok(!Object.values(KEYS).flat().some((key) => text.includes(key)), name);
    }
  }
});
