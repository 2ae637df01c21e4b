// A price list as a file: a question to the embedded model is answered with the row and the column that it names.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ROOT, startEdge } from "./support/edge.mjs";
import { ask, newOwner, settled, uploaded } from "./support/knowledge.mjs";

let edge;
before(async () => {
  edge = await startEdge();
});
after(() => edge?.stop());

const ROWS = [["Item", "Half day", "Day", "Week"], ["City bike", "€14", "€22", "€95"], ["E-bike", "€29", "€45", "€210"]];
const HTML = `<!doctype html><html lang="en"><title>Prices</title><main><h1>Price list</h1><table>${ROWS.map((row, n) =>
  `<tr>${row.map((cell) => (n === 0 ? `<th>${cell}</th>` : `<td>${cell}</td>`)).join("")}</tr>`).join("")}</table></main></html>`;

/** The same price list as owners have it. */
const PRICE_LISTS = [
  ["prices.pdf", "application/pdf", () => readFile(`${ROOT}/edge/formats/tests/corpus/pdf-reportlab-price-list/input.pdf`)],
  ["prices.csv", "text/csv", () => ROWS.map((row) => row.join(";")).join("\r\n")],
  ["prices.html", "text/html", () => HTML],
  ["prices.md", "text/markdown", () => `# Price list\n\n${[ROWS[0], ROWS[0].map(() => "---"), ...ROWS.slice(1)].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`],
];

for (const [name, type, file] of PRICE_LISTS) {
  test(`a question to ${name} is answered with its row and its column`, async () => {
    const owner = await newOwner(edge);
    const source = await settled(owner, (await uploaded(owner, name, await file(), { type })).id);
    assert.equal(source.status, "ready", JSON.stringify(source));
    for (const [question, row, price] of [
      ["how much is an e-bike for a day?", "E-bike", "€45"],
      ["What does a city bike cost for a week?", "City bike", "€95"],
    ]) {
      const { said, sources } = await ask(owner, question);
      assert.ok(said.startsWith(row) && said.includes(price), `${question} ${said}`);
      assert.deepEqual(said.match(/€\d+/g), [price], said);
      assert.equal(sources.length > 0, true, question);
    }
  });
}
