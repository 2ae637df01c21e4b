// A tenant's hosted page shares its origin with the sessions of people: whatever the tenant writes, it does nothing to them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./support/browser.mjs";
import { startEdge } from "./support/edge.mjs";
import { Owner } from "./support/owner.mjs";
import { Person } from "./support/person.mjs";

const STEAL = "fetch('/v1/account').then((answer) => answer.text()).then((text) => { window.stolen = text; })";
const EVIL = `"><img src=x onerror="${STEAL}"><script>${STEAL}</script>`;

let edge, browser, owner, person, context;
before(async () => {
  edge = await startEdge();
  browser = await launch();
  owner = await Owner.with(edge, "hostile", {
    name: EVIL.slice(0, 60),
    greeting: { en: EVIL, fr: EVIL },
    suggestions: { en: [`[x](javascript:${STEAL.slice(0, 40)})`], fr: ["<script>x</script>"] },
  });
  person = await Person.operator(edge, "operator@example.com");
  context = await browser.newContext({ locale: "en-GB" });
  const [name, value] = person.cookie.split("=");
  await context.addCookies([{ name, value, url: edge.url, httpOnly: true, sameSite: "Strict" }]);
});
after(async () => {
  await browser?.close();
  await edge?.stop();
});

/** The requests of a page for what only people may do. */
function asked(page) {
  const found = [];
  page.on("request", (request) => {
    if (/\/v1\/(account|admin)/.test(request.url())) found.push(`${request.method()} ${request.url()}`);
  });
  return found;
}

test("hostile texts of a tenant run nothing on the hosted page, and post nothing", async () => {
  const page = await context.newPage();
  const requests = asked(page);
  await page.goto(`${edge.url}/c/${owner.site.key}`);
  await page.getByRole("textbox").first().waitFor();
  await page.getByText("onerror", { exact: false }).first().waitFor();
  // What a hole in the page would add is refused by its policy, too: scripts, handlers, forms and frames.
  const ran = await page.evaluate(async (steal) => {
    const add = (name, fill) => {
      const element = document.createElement(name);
      try {
        fill(element);
      } catch {
        // Trusted Types refuse the text of a script.
      }
      document.body.append(element);
      return element;
    };
    add("script", (script) => { script.textContent = steal; });
    add("script", (script) => { script.append(steal); });
    add("img", (image) => { image.setAttribute("onerror", steal); image.src = "data:x"; });
    add("iframe", (frame) => { frame.src = "/v1/account"; });
    add("form", (form) => { form.method = "POST"; form.action = "/v1/account/sign-out"; }).submit();
    await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
    return window.stolen;
  }, STEAL);
  assert.equal(ran, undefined);
  assert.deepEqual(requests, []);
  assert.equal((await person.call("GET", "/v1/account")).status, 200);
});

test("a page of another port of the same host reads nothing and ends no session", async () => {
  const page = await context.newPage();
  await page.goto(`${edge.site}/plain/`);
  const got = await page.evaluate(async (url) => {
    const tried = [];
    for (const [path, init] of [
      ["/v1/account", {}], ["/v1/account", { mode: "no-cors" }], ["/v1/admin/tenants", {}],
      ["/v1/account/sign-out", { method: "POST", mode: "no-cors" }], ["/v1/account/sessions", { method: "DELETE" }],
    ]) {
      try {
        const answer = await fetch(url + path, { credentials: "include", ...init });
        tried.push([answer.type, await answer.text()]);
      } catch {
        tried.push("failed");
      }
    }
    return tried;
  }, edge.url);
  assert.deepEqual(got, ["failed", ["opaque", ""], "failed", ["opaque", ""], "failed"]);
  assert.equal((await person.call("GET", "/v1/account")).status, 200);
});
