// Indexing, killed: workerd dies as in a power failure, at several points.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rm } from "node:fs/promises";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { FAST, ask, eventually, found, newOwner, rows, settled, uploaded } from "./support/knowledge.mjs";
import { pause } from "./support/upstream.mjs";

test("whenever the machine dies, the old version answers until the new one is complete, and nothing stands twice", async () => {
  const state = await stateFolder();
  const vars = FAST;
  let mine = await startEdge({ state, vars });
  let db = openDatabase(mine);
  try {
    const owner = await newOwner(mine);
    const book = (word, sections) => `# Manual\n\nThe code word is ${word}.\n\n` + Array.from({ length: sections }, (_, n) =>
      `## Section ${n}\n\n${`The ${word} of section ${n} is described here at some length, with many words. `.repeat(6)}\n\n`).join("");
    const source = await uploaded(owner, "manual.md", book("alabaster", 5));
    await settled(owner, source.id);
    const sections = 2_500;
    const put = await owner.fetch(`${owner.at}/${source.id}/file?name=manual.md`, {
      method: "PUT", body: Buffer.from(book("obsidian", sections)), headers: { "if-match": "*", "content-type": "text/markdown" },
    });
    assert.equal(put.status, 200);
    let shown = 0;
    let died = 0;
    for (const [done, where] of [[-1, "before anything"], [200, "at the first chunks"], [1_500, "in the middle"]]) {
      const until = Date.now() + 60_000;
      for (;;) {
        const row = db.prepare("SELECT status, done, staged FROM source WHERE id = ?").get(source.id);
        if (row.status === "ready" || Date.now() > until) break;
        if (row.staged !== "" && row.done >= done || done < 0) break;
        await pause(5);
      }
      const row = db.prepare("SELECT status, done FROM source WHERE id = ?").get(source.id);
      db.close();
      await mine.kill();
      died += row.status === "ready" ? 0 : 1;
      mine = owner.edge = await startEdge({ state, port: mine.port, vars });
      db = openDatabase(mine);
      const now = db.prepare("SELECT generation, status, done, total FROM source WHERE id = ?").get(source.id);
      if (now.generation === 1) {
        const answer = await ask(owner, "What is the code word?");
        // It may have been completed while it was asked.
        const later = db.prepare("SELECT generation FROM source WHERE id = ?").get(source.id);
        if (later.generation === 1) assert.match(answer.said, /alabaster/, where);
      }
      assert.ok(now.done >= shown || now.done === 0, where);
      shown = now.done;
    }
    assert.ok(died >= 2, `it was killed ${died} times while it worked`);
    const ready = await settled(owner, source.id, { patience: 120_000 });
    assert.equal(ready.status, "ready", JSON.stringify(ready));
    assert.equal(ready.progress.done, ready.progress.total);
    assert.match((await ask(owner, "What is the code word?")).said, /obsidian/);
    await eventually("what was before is gone", () => rows(owner, "chunk", db, "generation <> 2 AND generation >= 0") === 0, 60_000);
    const positions = db.prepare("SELECT count(*) AS n, count(DISTINCT position) AS d, min(position) AS a, max(position) AS b FROM chunk WHERE source_id = ? AND generation = 2").get(source.id);
    assert.deepEqual({ ...positions }, { n: ready.progress.total, d: ready.progress.total, a: 0, b: ready.progress.total - 1 });
    assert.equal(found(owner, "obsidian", db), ready.progress.total);
    assert.equal(found(owner, "alabaster", db), 0);
    // Deleted while it is read again: no chunk comes back.
    await owner.post(`${owner.at}/${source.id}/refresh`);
    await pause(400);
    await owner.remove(`${owner.at}/${source.id}`);
    await pause(1_500);
    for (const table of ["source", "source_text"]) assert.equal(rows(owner, table, db, "1"), 0, table);
    assert.equal(rows(owner, "chunk", db, "generation >= 0"), 0);
    assert.equal(found(owner, "", db), 0);
  } finally {
    db.close();
    await mine.stop();
    await rm(state, { recursive: true, force: true });
  }
});
