// The limits of a visitor while requests overtake one another: what is sent twice, cancelled, refused or retried at once, by
// the hundred, in both stores. The counts are exact, and are printed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Visitor, events, ulid } from "./support/client.mjs";
import { Owner } from "./support/owner.mjs";
import { answer, paced, startUpstream, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

let upstream, edge;
const quick = (response) => stream(response, answer(["Oui", "."]));
before(async () => {
  upstream = await startUpstream();
  upstream.behave = quick;
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url } });
});
after(async () => {
  upstream?.stop();
  await edge?.stop();
});

const ADDRESS = { sessions_per_minute: 10_000, messages_per_minute: 10_000, messages_per_day: 100_000 };

/** A visitor who may send so many messages a day, and conversations of theirs. */
async function visitor(tenant, store, perDay, conversations) {
  const limits = { store, tiers: { free: { per_minute: 10_000, per_day: perDay } }, address: ADDRESS };
  const owner = await Owner.with(edge, `${tenant}-${store}`, { limits });
  const me = await new Visitor(edge, { site: owner.site.key }).open();
  const ids = [];
  for (let n = 0; n < conversations; n += 1) ids.push(await me.conversation());
  upstream.requests.length = 0;
  const send = async (conversation, id, more = {}) => {
    const path = `/v1/conversations/${conversation}/messages`;
    const response = await me.fetch(path, { method: "POST", body: { id, text: `Bonjour ${id}`, ...more } });
    if (response.status !== 200) return { id, status: response.status, code: (await response.json()).code };
    const list = await Array.fromAsync(events(response));
    return { id, status: 200, replayed: response.headers.has("bulle-replayed"), last: list.at(-1) };
  };
  const cancel = (conversation) => me.fetch(`/v1/conversations/${conversation}/cancel`, { method: "POST" });
  /** What is left of the day, from the next message, which is one itself. */
  const left = async () => (await send(await me.conversation(), ulid())).last.data.remaining.day;
  return { me, ids, send, cancel, left };
}

/** The messages that have a turn. */
const begun = (results) => new Set(results.filter(({ status }) => status === 200).map(({ id }) => id)).size;

function print(t, results, more) {
  const counts = {};
  for (const { status, replayed, code } of results) {
    const kind = code ?? (replayed ? "replayed" : status);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify({ ...counts, ...more }));
}

for (const store of ["kv", "exact"]) {
  describe(store, () => {
    test("what is sent twice at once and cancelled is one message each time", async (t) => {
      const { ids, send, cancel, left } = await visitor("twice", store, 200, 100);
      const results = [];
      for (const conversation of ids) {
        const id = ulid();
        const [one, two] = await Promise.all([send(conversation, id), send(conversation, id), cancel(conversation)]);
        results.push(one, two);
      }
      assert.ok(results.every(({ status }) => status === 200));
      const rest = await left();
      print(t, results, { turns: begun(results), asked: upstream.requests.length, left: rest });
      assert.equal(begun(results), 100);
      assert.equal(rest, 200 - 101);
      assert.ok(upstream.requests.length <= 101);
    });

    test("a day of five is five answers, however often each message is sent at once", async (t) => {
      const { ids, send, cancel } = await visitor("five", store, 5, 40);
      const sent = ids.flatMap((conversation) => {
        const id = ulid();
        return [send(conversation, id), send(conversation, id), send(conversation, id), cancel(conversation).then(() => undefined)];
      });
      const results = (await Promise.all(sent)).filter(Boolean);
      print(t, results, { turns: begun(results), asked: upstream.requests.length });
      assert.equal(begun(results), 5);
      assert.ok(results.every(({ status, code }) => status === 200 || code === "quota_exceeded"));
      assert.ok(upstream.requests.length <= 5);
      // The day is over, and what was answered can still be read again.
      assert.equal((await send(ids[0], ulid())).code, "quota_exceeded");
      const answered = results.find(({ status }) => status === 200).id;
      const again = await Promise.all(ids.map((conversation) => send(conversation, answered)));
      assert.equal(again.filter(({ status }) => status === 200).length, 1);
    });

    test("a hundred messages to a busy conversation are given back", async (t) => {
      const { ids, send, left } = await visitor("busy", store, 1_000, 1);
      const pace = paced(answer(["Oui", "."]), 1);
      upstream.behave = pace.behave;
      const first = send(ids[0], ulid());
      try {
        // The others come when the first has a turn.
        await until("the model is asked", () => upstream.requests.length > 0);
        const messages = Array.from({ length: 50 }, () => ulid());
        const results = await Promise.all(messages.flatMap((id) => [send(ids[0], id), send(ids[0], id)]));
        print(t, results);
        assert.ok(results.every(({ status, code }) => status === 409 && code === "turn_in_progress"));
      } finally {
        pace.rest();
        upstream.behave = quick;
      }
      assert.equal((await first).last.event, "done");
      assert.equal(await left(), 1_000 - 2);
    });

    test("another text, another's conversation and a conversation that is not there cost nothing", async (t) => {
      const { me, ids, send, left } = await visitor("refused", store, 1_000, 1);
      const stranger = await new Visitor(edge, { site: me.site }).open();
      const theirs = await stranger.conversation();
      const id = ulid();
      assert.equal((await send(ids[0], id)).status, 200);
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, n) => [send(ids[0], id, { text: "Autre" }), send(theirs, ulid()), send(ulid(), ulid())][n % 3]),
      );
      print(t, results);
      assert.ok(results.every(({ status }) => status === 409 || status === 404));
      assert.equal(await left(), 1_000 - 2);
    });

    test("a failed turn that is retried many times at once is one attempt", async (t) => {
      const { ids, send, left } = await visitor("retried", store, 1_000, 20);
      // It breaks off after its first words: paid, and not ended.
      upstream.behave = (response) => stream(response, answer(["Oui", "."]).slice(0, 1));
      const failed = await Promise.all(ids.map((conversation) => send(conversation, ulid())));
      assert.ok(failed.every(({ last }) => last.event === "error"));
      upstream.behave = quick;
      upstream.requests.length = 0;
      const retried = failed.flatMap(({ id }, n) => Array.from({ length: 5 }, () => send(ids[n], id, { retry: true })));
      const results = await Promise.all(retried);
      const attempts = results.filter(({ replayed }) => !replayed).length;
      const rest = await left();
      print(t, results, { attempts, asked: upstream.requests.length, left: rest });
      assert.ok(results.every(({ last }) => last.event === "done"));
      assert.equal(attempts, 20);
      assert.equal(rest, 1_000 - 20 - 20 - 1);
    });
  });
}
