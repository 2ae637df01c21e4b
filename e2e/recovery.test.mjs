// Recovery codes over HTTP: shown once, used once, and of no help to a stranger.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Person } from "./support/person.mjs";

let edge, database;
before(async () => {
  edge = await startEdge();
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
});

const told = ({ status, code }) => [status, code];
const plain = ({ status, json }) => JSON.stringify([status, { ...json, request_id: "" }]);
const make = (person) => person.call("POST", "/v1/account/recovery-codes");
const recover = (email, code, more = {}, person = new Person(edge)) =>
  person.call("POST", "/v1/account/sign-in/recovery", { email, code, ...more });

test("ten codes are shown once, each lets its person in once, and the rest are counted", async () => {
  const person = await Person.operator(edge, "codes@example.com");
  assert.equal((await person.account()).recovery_codes, 0);
  const made = await make(person);
  assert.equal(made.status, 201, made.text);
  const { codes } = made.json;
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) assert.match(code, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
  const stored = JSON.stringify(database.prepare("SELECT * FROM recovery_code").all());
  for (const code of codes) assert.ok(!stored.includes(code) && !stored.includes(code.replaceAll("-", "")) && !edge.log().includes(code));
  const back = new Person(edge);
  const answer = await recover("Codes@example.com", codes[0].toUpperCase().replaceAll("-", " "), {}, back);
  assert.deepEqual([answer.status, answer.json?.recovery_codes], [200, 9], answer.text);
  assert.equal((await back.account()).person.email, "codes@example.com");
  const again = await recover("codes@example.com", codes[0]);
  assert.deepEqual(told(again), [401, "credentials_invalid"]);
  assert.equal(plain(again), plain(await recover("nobody@example.com", codes[1])));
  assert.equal(plain(again), plain(await recover("codes@example.com", "")));
  const race = await Promise.all([1, 2, 3].map(() => recover("codes@example.com", codes[1])));
  assert.deepEqual(race.map(({ status }) => status).sort(), [200, 401, 401]);
  // New ones replace the old ones.
  const next = (await make(back)).json.codes;
  assert.deepEqual(told(await recover("codes@example.com", codes[2])), [401, "credentials_invalid"]);
  assert.equal((await recover("codes@example.com", next[0])).status, 200);
});

test("a code sets a new password, which ends the other sessions; a refused one does not use it up", async () => {
  const person = await Person.operator(edge, "lost@example.com");
  const [code] = (await make(person)).json.codes;
  assert.deepEqual(told(await recover("lost@example.com", code, { new_password: "password1234" })), [422, "invalid_value"]);
  assert.equal((await recover("lost@example.com", code, { new_password: "quite another secret" })).status, 200);
  assert.equal((await person.call("GET", "/v1/account")).status, 401);
  assert.equal((await new Person(edge).signIn("lost@example.com")).status, 401);
  assert.equal((await new Person(edge).signIn("lost@example.com", "quite another secret")).status, 200);
});

test("codes are made with a proof of a moment ago, and taken from the console's own page alone", async () => {
  const person = await Person.operator(edge, "proof@example.com");
  const [code] = (await make(person)).json.codes;
  database.prepare("UPDATE person_session SET proved_at = proved_at - 600000").run();
  assert.deepEqual(told(await make(person)), [403, "step_up_required"]);
  assert.equal((await person.account()).recovery_codes, 10);
  const forged = await recover("proof@example.com", code, {}, new Person(edge, { origin: "https://evil.example" }));
  assert.deepEqual(told(forged), [403, "origin_not_allowed"]);
  assert.equal((await make(new Person(edge))).status, 401);
  // Guesses from one network are slowed down.
  const guesser = new Person(edge);
  const statuses = [];
  for (let n = 0; n < 25; n += 1) statuses.push((await recover("proof@example.com", "0000-0000-0000-0000", {}, guesser)).status);
  assert.equal(statuses.at(-1), 429);
  assert.equal((await recover("proof@example.com", code)).status, 200);
});
