// `cargo xtask console invite` against a running edge, and the link that `cargo xtask dev` prints.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { startDev } from "./support/dev.mjs";
import { startEdge } from "./support/edge.mjs";
import { PASSWORD, Person } from "./support/person.mjs";

const run = promisify(execFile);
const LINK = /^(http:\/\/localhost:\d+\/console\/#invitation=)(_[0-9A-Z]{26}_[0-9a-f]{64})$/m;

test("the operator's command lets the first person in, and one who is locked out", async () => {
  const edge = await startEdge();
  try {
    const invite = (...args) =>
      run(process.env.BULLE_XTASK, ["console", "invite", ...args, "--edge", edge.url], { env: { ...process.env, ADMIN_KEY: edge.adminKey } });
    const { stdout } = await invite("first@example.com");
    const [, , token] = stdout.match(LINK);
    const first = new Person(edge);
    assert.equal((await first.accept(token)).json.person.operator, true);
    const again = await invite("first@example.com", "--locked-out");
    const person = new Person(edge);
    assert.equal((await person.accept(again.stdout.match(LINK)[2], { password: "quite another secret" })).status, 201);
    assert.equal((await first.call("GET", "/v1/account")).status, 401);
    await assert.rejects(invite("nobody@example.com", "--locked-out"), /no person has this address/);
    await assert.rejects(invite("no address"), /an address such as/);
    const link = await person.call("POST", "/v1/admin/invitations", { email: "second@example.com", operator: true, first: true });
    assert.deepEqual([link.status, link.code], [409, "already_exists"]);
  } finally {
    await edge.stop();
  }
});

test("`cargo xtask dev` prints a link for the first person, until somebody is an operator", async () => {
  const vars = { PASSWORD_PEPPER: "pepper-".padEnd(48, "0123456789") };
  const edge = await startDev({ vars });
  try {
    const [, , token] = edge.log().match(/^ {2}(http:\/\/localhost:\d+\/console\/#invitation=)(_\S+)$/m);
    const person = new Person(edge);
    assert.equal((await person.accept(token)).status, 201);
    assert.equal((await new Person(edge).signIn("operator@localhost", PASSWORD)).status, 200);
    const second = await person.call("POST", "/v1/admin/invitations", { email: "b@localhost", operator: true, first: true });
    assert.equal(second.status, 409);
  } finally {
    await edge.stop();
  }
});
