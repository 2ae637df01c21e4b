// SQLite for the benches: a line of JSON in, a line of JSON out.
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";

const db = new DatabaseSync(":memory:");
const statements = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { script, sql, values } = JSON.parse(line);
  let answer;
  try {
    if (script !== undefined) {
      db.exec(script);
      answer = { rows: [] };
    } else {
      if (!statements.has(sql)) statements.set(sql, db.prepare(sql));
      answer = { rows: statements.get(sql).all(...values) };
    }
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
