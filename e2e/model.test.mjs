// Answers from a model over HTTP: a real OpenAI-compatible server, and one of our own that misbehaves.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { startEdge } from "./support/edge.mjs";
import { Visitor, assemble, events, text, ulid } from "./support/client.mjs";
import { answer, cut, pause, startUpstream, stream } from "./support/upstream.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";

describe("a server of the trade", () => {
  let mock, edge;
  before(async () => {
    mock = new LLMock({ port: 0 });
    mock.onMessage("Kubernetes", { content: "J'ai **8 ans** d'expérience [1]. Émoji : 🫧." });
    await mock.start();
    edge = await startEdge({ vars: { OPENAI_BASE_URL: `${mock.url}/v1`, OPENAI_API_KEY: "sk-test", OPENAI_MODEL: "gpt-test" } });
  });
  after(async () => {
    await edge?.stop();
    await mock?.stop();
  });

  test("answers through persona, documents and citations", async () => {
    const me = await new Visitor(edge).open();
    const list = await me.ask(QUESTION);
    assert.equal(text(assemble(list)), "J'ai 8 ans d'expérience [1]. Émoji : 🫧.");
    assert.ok(list.some(({ event }) => event === "sources"));
    const done = list.at(-1);
    assert.deepEqual([done.event, done.data.provider, done.data.finish], ["done", "openai", "stop"]);
    assert.ok(!edge.log().includes("sk-test"));
  });
});

for (const [vendor, path, model] of [["anthropic", "/v1", "claude-test"], ["gemini", "/v1beta", "gemini-test"]]) {
  describe(`another vendor: ${vendor}`, () => {
    let mock, edge;
    before(async () => {
      mock = new LLMock({ port: 0 });
      mock.onMessage("Kubernetes", { content: "J'ai **8 ans** d'expérience [1]. Émoji : 🫧." });
      await mock.start();
      const name = vendor.toUpperCase();
      edge = await startEdge({ vars: { [`${name}_BASE_URL`]: mock.url + path, [`${name}_API_KEY`]: "sk-other", [`${name}_MODEL`]: model } });
    });
    after(async () => {
      await edge?.stop();
      await mock?.stop();
    });

    test("answers as the first does", async () => {
      const me = await new Visitor(edge).open();
      const list = await me.ask(QUESTION);
      assert.equal(text(assemble(list)), "J'ai 8 ans d'expérience [1]. Émoji : 🫧.");
      const done = list.at(-1);
      assert.deepEqual([done.event, done.data.provider, done.data.finish], ["done", vendor, "stop"]);
      const { checks } = await (await fetch(`${edge.url}/health`)).json();
      assert.equal(checks.find(({ name }) => name === "model").detail, model);
      assert.ok(!edge.log().includes("sk-other"));
    });
  });
}

describe("a server that misbehaves", () => {
  let upstream, edge;
  before(async () => {
    upstream = await startUpstream();
    edge = await startEdge({
      vars: {
        OPENAI_BASE_URL: upstream.url,
        OPENAI_MODEL: "mock",
        MODEL_FIRST_TOKEN_MS: "1500",
        MODEL_BETWEEN_TOKENS_MS: "1000",
      },
    });
  });
  after(async () => {
    upstream?.stop();
    await edge?.stop();
  });

  async function ask(behave, me) {
    upstream.requests.length = 0;
    upstream.behave = behave;
    const visitor = me ?? (await new Visitor(edge).open());
    return { visitor, list: await visitor.ask(QUESTION) };
  }

  const WORDS = ["J'ai ", "**8 ", "ans** ", "d'ex", "périence [", "1]", ". 🫧", " Fin."];
  const WHOLE = "J'ai 8 ans d'expérience [1]. 🫧 Fin.";

  test("a good answer, with its usage", async () => {
    const { list, visitor } = await ask((response) => stream(response, answer(WORDS)));
    assert.equal(text(assemble(list)), WHOLE);
    assert.deepEqual(list.at(-1).data.usage, { input_tokens: 11, output_tokens: WORDS.length });
    assert.equal(list.at(-1).data.model, "mock-1");
    const [{ body }] = upstream.requests;
    assert.equal(body.model, "mock");
    assert.equal(body.messages.at(-1).content, QUESTION);
    assert.match(body.messages[0].content, /Maëlle Kervadec/);
    // The next question carries the conversation.
    upstream.behave = (response) => stream(response, answer(["Oui."]));
    await visitor.ask("Et avant ?");
    const roles = upstream.requests.at(-1).body.messages.map((message) => message.role);
    assert.deepEqual(roles, ["system", "user", "assistant", "user"]);
  });

  test("every byte a chunk of its own changes nothing", async () => {
    const bytes = [...Buffer.from(answer(WORDS).join(""))].map((byte) => Buffer.from([byte]));
    const { list } = await ask((response) => stream(response, bytes));
    assert.equal(text(assemble(list)), WHOLE);
  });

  for (const [name, behave, code] of [
    ["401", (r) => r.writeHead(401).end('{"error":{"message":"bad key sk-xyz"}}'), "upstream_unavailable"],
    ["404", (r) => r.writeHead(404).end("{}"), "upstream_unavailable"],
    ["429", (r) => r.writeHead(429, { "retry-after": "7" }).end("{}"), "upstream_unavailable"],
    ["500", (r) => r.writeHead(500).end(), "upstream_unavailable"],
    ["a refused connection", (r) => r.destroy(), "upstream_unavailable"],
    ["garbage", (r) => stream(r, ["data: <html>\n\n"]), "upstream_unavailable"],
    ["a page", (r) => r.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"), "upstream_unavailable"],
    ["an empty answer", (r) => stream(r, answer([])), "upstream_unavailable"],
    ["silence before the head", async () => pause(3000), "upstream_timeout"],
    ["silence after the head", (r) => stream(r, [], { end: false }), "upstream_timeout"],
  ]) {
    test(`${name} ends honestly, the message kept and a retry possible`, async () => {
      const id = ulid();
      upstream.requests.length = 0;
      upstream.behave = behave;
      const me = await new Visitor(edge).open();
      const list = await me.ask(QUESTION, id);
      const last = list.at(-1);
      assert.deepEqual([last.event, last.data.code], ["error", code]);
      assert.match(last.data.message, /conservé/);
      assert.ok(!JSON.stringify(list).includes("sk-xyz"));
      if (name === "429") assert.equal(last.data.retry_after, 7);
      const { items } = await me.history();
      assert.deepEqual(items.map((item) => [item.role, item.status]), [["user", "complete"], ["assistant", "failed"]]);
      // The same id again replays the failure; only `retry` asks again.
      upstream.behave = (response) => stream(response, answer(WORDS));
      assert.deepEqual(await me.ask(QUESTION, id), list);
      const again = await me.ask(QUESTION, id, { retry: true });
      assert.equal(again[0].event, "start");
      assert.equal(again.at(-1).event, "done");
      assert.equal(text(assemble(again)), WHOLE);
      assert.equal(upstream.requests.length, 2);
      assert.equal((await me.history()).items.length, 2);
      assert.equal((await me.history()).items[1].status, "complete");
    });
  }

  test("a stall after the first words keeps them", async () => {
    const { list, visitor } = await ask((r) => stream(r, answer(WORDS).slice(0, 3), { end: false }));
    assert.equal(list.at(-1).data.code, "upstream_interrupted");
    assert.equal(text(assemble(list)).trim(), "J'ai 8 ans");
    assert.equal((await visitor.history()).items[1].text.trim(), "J'ai 8 ans");
  });

  test("a stream cut after any byte ends honestly, and what was written is kept", async () => {
    const bytes = Buffer.from(answer(WORDS).join(""));
    const finished = bytes.indexOf('"finish_reason":"stop"');
    const eventEnd = bytes.indexOf("\n\n", finished) + 2;
    // Every byte of the first two events and around the last ones; every seventh between.
    const dense = (at) => at < 300 || at > finished - 40;
    const cuts = Array.from({ length: bytes.length + 1 }, (_, at) => at).filter((at) => dense(at) || at % 7 === 0);
    let next = 0;
    const work = async () => {
      let me;
      for (let turn = 0; next < cuts.length; turn += 1) {
        const at = cuts[next];
        next += 1;
        // A visitor is limited to some messages a minute.
        if (turn % 15 === 0) me = new Visitor(edge);
        if (!me.token) await me.open();
        me.conversationId = undefined;
        const list = await me.ask(`${QUESTION} ${at}`);
        const last = list.at(-1);
        const { items } = await me.history();
        const shown = text(assemble(list));
        assert.equal(items[1].blocks.length ? text(items[1].blocks) : "", shown, `cut at ${at}`);
        // Emphasis that the cut left open stays as it was written.
        assert.ok(WHOLE.startsWith(shown.trim().replace("**", "")), `cut at ${at}: ${shown}`);
        const complete = at >= eventEnd;
        // Even a whole answer is only believed when the connection was closed, not cut.
        const expected = shown ? ["upstream_interrupted"] : ["upstream_unavailable"];
        if (!complete) assert.ok(last.event === "error" && expected.includes(last.data.code), `cut at ${at}: ${JSON.stringify(last)}`);
        else assert.ok(["done", "error"].includes(last.event));
      }
    };
    upstream.behave = (response, question) => cut(response, bytes.subarray(0, Number(question.split(" ").at(-1))));
    await Promise.all([work(), work(), work(), work()]);
  });

  test("a visitor who leaves comes back to the whole answer, asked once", async () => {
    upstream.requests.length = 0;
    upstream.behave = (response) => stream(response, answer(WORDS), { wait: 150 });
    const me = await new Visitor(edge).open();
    const id = ulid();
    const leave = new AbortController();
    const response = await me.post({ id, text: QUESTION }, { signal: leave.signal });
    const seen = [];
    for await (const event of events(response)) {
      seen.push(event);
      if (event.event === "block") break;
    }
    leave.abort();
    const rest = await me.attach(seen.at(-1).id);
    assert.equal(text(assemble([...seen, ...rest])), WHOLE);
    assert.equal(rest.at(-1).event, "done");
    assert.deepEqual([...seen, ...rest], await me.attach());
    assert.deepEqual(await me.ask(QUESTION, id), await me.attach());
    assert.equal(upstream.requests.length, 1);
    assert.equal((await me.history()).items[1].status, "complete");
  });

  test("two browsers see the same turn, and a second question waits", async () => {
    upstream.requests.length = 0;
    upstream.behave = (response) => stream(response, answer(WORDS), { wait: 100 });
    const me = await new Visitor(edge).open();
    await me.conversation();
    const id = ulid();
    const first = me.ask(QUESTION, id);
    await pause(150);
    const second = me.ask(QUESTION, id);
    const other = await me.post({ id: ulid(), text: "Et Rust ?" });
    assert.equal(other.status, 409);
    assert.equal((await other.json()).code, "turn_in_progress");
    assert.deepEqual(await first, await second);
    assert.equal(upstream.requests.length, 1);
  });

  test("an older question that failed can be asked again, and its answer found again", async () => {
    const id = ulid();
    upstream.behave = (response) => response.writeHead(500).end();
    const me = await new Visitor(edge).open();
    const failed = await me.ask(QUESTION, id);
    upstream.behave = (response) => stream(response, answer(["Autre."]));
    await me.ask("Et Rust ?");
    upstream.behave = (response) => stream(response, answer(WORDS), { wait: 60 });
    const asked = me.ask(QUESTION, id, { retry: true });
    await pause(200);
    const running = await me.attach(failed.at(-1).id);
    assert.deepEqual(running, await asked);
    assert.equal(text(assemble(await me.attach(failed.at(-1).id))), WHOLE);
    const { items } = await me.history();
    assert.deepEqual(items.map(({ status }) => status), Array(4).fill("complete"));
  });

  test("an answer whose connection breaks after its end is a whole answer", async () => {
    const bytes = Buffer.from(answer(WORDS).join(""));
    const { list } = await ask((response) => cut(response, bytes));
    assert.deepEqual([list.at(-1).event, text(assemble(list))], ["done", WHOLE]);
    const open = await ask((response) => stream(response, answer(WORDS), { end: false }));
    assert.equal(open.list.at(-1).event, "done");
  });

  test("stopping keeps what was written and hangs up on the model", async () => {
    upstream.behave = (response) => stream(response, answer(WORDS).slice(0, 3), { end: false });
    upstream.closed = 0;
    const me = await new Visitor(edge).open();
    await me.conversation();
    const asked = me.ask(QUESTION);
    await pause(400);
    const stopped = await me.fetch(`/v1/conversations/${me.conversationId}/cancel`, { method: "POST" });
    assert.equal(stopped.status, 204);
    const list = await asked;
    assert.deepEqual([list.at(-1).event, list.at(-1).data.finish], ["done", "stopped"]);
    await pause(200);
    assert.equal(upstream.closed, 1);
    const { items } = await me.history();
    assert.deepEqual([items[1].status, items[1].text.trim()], ["stopped", "J'ai 8 ans"]);
  });

  test("an edge that is killed in the middle of an answer ends it honestly when it is back", async () => {
    upstream.behave = (response) => stream(response, answer(WORDS).slice(0, 3), { end: false });
    const own = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock", MODEL_BETWEEN_TOKENS_MS: "60000" }, state: `${edge.state}-killed` });
    const me = await new Visitor(own).open();
    await me.conversation();
    const id = ulid();
    const response = await me.post({ id, text: QUESTION });
    const seen = [];
    for await (const event of events(response)) {
      seen.push(event);
      if (seen.length === 3) break;
    }
    // At once: not everything that was told has been stored.
    await own.stop();
    const back = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" }, state: own.state, port: own.port });
    try {
      const rest = await me.attach(seen.at(-1).id);
      assert.deepEqual(rest.map(({ event, data }) => [event, data.code]), [["error", "interrupted"]]);
      const list = await me.attach();
      assert.deepEqual(list.at(-1), rest[0]);
      let items = [];
      for (let tries = 0; tries < 20 && items.length < 2; tries += 1, await pause(250)) items = (await me.history()).items;
      assert.deepEqual(items.map(({ role, status }) => [role, status]), [["user", "complete"], ["assistant", "failed"]]);
      upstream.behave = (response) => stream(response, answer(WORDS));
      const again = await me.ask(QUESTION, id, { retry: true });
      assert.equal(text(assemble(again)), WHOLE);
      assert.equal(text(assemble(await me.attach(rest[0].id))), WHOLE);
    } finally {
      await back.stop();
    }
  });
});
