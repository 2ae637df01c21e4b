// Answers from a model over HTTP: servers of other projects, and a test server. Faults are in faults.test.mjs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text, ulid } from "./support/client.mjs";
import { answer, cut, paced, startUpstream, stream } from "./support/upstream.mjs";
import { pause, until } from "./support/wait.mjs";

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
      assert.equal(checks.find(({ name }) => name === "model").detail, `${vendor}/${model}`);
      assert.ok(!edge.log().includes("sk-other"));
    });
  });
}

describe("a server of our own", () => {
  let upstream, edge;
  before(async () => {
    upstream = await startUpstream();
    edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  });
  after(async () => {
    upstream?.stop();
    await edge?.stop();
  });

  const WORDS = ["J'ai ", "**8 ", "ans** ", "d'ex", "périence [", "1]", ". 🫧", " Fin."];
  const WHOLE = "J'ai 8 ans d'expérience [1]. 🫧 Fin.";

  test("a good answer, with its usage", async () => {
    upstream.behave = (response) => stream(response, answer(WORDS));
    const visitor = await new Visitor(edge).open();
    const list = await visitor.ask(QUESTION);
    assert.equal(text(assemble(list)), WHOLE);
    assert.deepEqual(list.at(-1).data.usage, { input_tokens: 11, output_tokens: WORDS.length });
    assert.equal(list.at(-1).data.model, "mock-1");
    const [{ body }] = upstream.requests;
    assert.equal(body.model, "mock");
    assert.equal(body.messages.at(-1).content, QUESTION);
    assert.match(body.messages[0].content, /Maëlle Kervadec/);
    // The next prompt contains the conversation.
    upstream.behave = (response) => stream(response, answer(["Oui."]));
    await visitor.ask("Et avant ?");
    const roles = upstream.requests.at(-1).body.messages.map((message) => message.role);
    assert.deepEqual(roles, ["system", "user", "assistant", "user"]);
  });

  test("two browsers see the same turn, and a second question waits", async () => {
    upstream.requests.length = 0;
    const pace = paced(answer(WORDS), 1);
    upstream.behave = pace.behave;
    const me = await new Visitor(edge).open();
    await me.conversation();
    const id = ulid();
    const first = me.ask(QUESTION, id);
    await until("the model is asked", () => upstream.requests.length === 1);
    const second = me.ask(QUESTION, id);
    const other = await me.post({ id: ulid(), text: "Et Rust ?" });
    assert.equal(other.status, 409);
    assert.equal((await other.json()).code, "turn_in_progress");
    pace.rest();
    assert.deepEqual(await first, await second);
    assert.equal(upstream.requests.length, 1);
  });

  test("an older question that failed can be asked again, and its answer found again", async () => {
    const id = ulid();
    upstream.behave = (response) => cut(response, answer(WORDS)[0]);
    const me = await new Visitor(edge).open();
    const failed = await me.ask(QUESTION, id);
    assert.equal(failed.at(-1).data.code, "upstream_interrupted");
    assert.deepEqual(await me.ask(QUESTION, id), failed, "the same id alone asks nobody");
    upstream.behave = (response) => stream(response, answer(["Autre."]));
    await me.ask("Et Rust ?");
    const pace = paced(answer(WORDS), 1);
    upstream.behave = pace.behave;
    const before = upstream.requests.length;
    const asked = me.ask(QUESTION, id, { retry: true });
    await until("the model is asked again", () => upstream.requests.length > before);
    const running = me.attach(failed.at(-1).id);
    // Time for it to arrive; a later arrival looks the same.
    await pause(200);
    pace.rest();
    assert.deepEqual(await running, await asked);
    assert.equal(text(assemble(await me.attach(failed.at(-1).id))), WHOLE);
    const { items } = await me.history();
    assert.deepEqual(items.map(({ status }) => status), Array(4).fill("complete"));
  });
});
