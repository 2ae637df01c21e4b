// The guard's decisions as a visitor of a real edge sees them: quotas and how to get more, a pause, a known visitor.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bubble, picture, violations, watch } from "./support/browser.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { browser, edge, pages, site, start } from "./support/start.mjs";

start();

const tag = (owner, more = "") => `<script async src="${edge.url}/s/${owner.site.key}.js" ${more}></script>`;

async function visit(owner, { context, attribute, name = owner.tenant } = {}) {
  pages[`/${name}`] = `<!doctype html><html lang="fr"><title>Host</title><body><main><h1>Host</h1></main>${tag(owner, attribute)}`;
  const device = context ?? (await browser.newContext({ locale: "fr-FR", viewport: { width: 1280, height: 800 } }));
  const page = await device.newPage();
  const seen = watch(page);
  await page.goto(`${site.url}/${name}`);
  return { device, page, seen, bubble: new Bubble(page) };
}

const anywhere = ["http://localhost:*"];

test("the day's messages are counted down, and when they are used up the visitor reads when and where there are more", async () => {
  const upgrade = { label: { fr: "Passer à Premium" }, url: "https://example.com/premium" };
  const tiers = { free: { per_minute: 100, per_day: 2, upgrade } };
  const owner = await Owner.with(edge, "quota", { limits: { ...GENEROUS, tiers } }, anywhere);
  const { page, bubble } = await visit(owner);
  await bubble.open();
  for (const left of [1, 0]) {
    await bubble.ask("Bonjour");
    await bubble.dialog.getByText(`Messages restants aujourd’hui : ${left}`).first().waitFor();
  }
  await bubble.ask("Encore une question ?");
  await bubble.log.getByText(/utilisé tous vos messages d’aujourd’hui.*dans (\d+ h|\d+ min|\d+ s)/s).first().waitFor();
  const link = bubble.dialog.getByRole("link", { name: "Passer à Premium" });
  assert.equal(await link.getAttribute("href"), upgrade.url);
  assert.equal(await bubble.count("Encore une question ?"), 1);
  assert.deepEqual(await violations(page), []);
  await picture(page, "guard-quota");
});

test("a pause is told in the open bubble and at its opening, and ends", async () => {
  const owner = await Owner.with(edge, "break", { limits: { ...GENEROUS, refusals: { fr: { paused: "Fermé le dimanche." } } } }, anywhere);
  const { page, bubble } = await visit(owner);
  await bubble.open();
  await bubble.ask("Bonjour");
  await bubble.settled();
  await owner.patch("/bots/bot", { status: "paused" });
  await bubble.ask("Êtes-vous là ?");
  await bubble.dialog.getByText("Fermé le dimanche.").first().waitFor();
  await picture(page, "guard-paused");
  assert.deepEqual(await violations(page), []);
  await owner.patch("/bots/bot", { status: "active" });
  await bubble.dialog.getByRole("button", { name: "Réessayer" }).first().click();
  await bubble.settled();
  await bubble.log.getByText("Fermé le dimanche.").first().waitFor({ state: "hidden" });
  assert.equal(await bubble.count("Êtes-vous là ?"), 1);
});

test("a known visitor finds the conversation on every device, and nothing is left after signing out", async () => {
  const owner = await Owner.with(edge, "member", { limits: GENEROUS }, anywhere);
  const { secret } = await owner.post("/identity-secrets");
  const identity = jwt(secret, { sub: "7", tier: "premium", exp: inSeconds(600), name: "Ada" });
  const attribute = `data-identity="${identity}"`;
  const laptop = await visit(owner, { attribute });
  await laptop.bubble.open();
  await laptop.bubble.ask("Ma question secrète");
  await laptop.bubble.settled();
  assert.equal(await laptop.page.evaluate(() => localStorage.length), 0);

  const phone = await visit(owner, { attribute });
  await phone.bubble.open();
  assert.equal(await phone.bubble.count("Ma question secrète"), 1);
  await phone.page.evaluate((key) => window.Bulle[key].identify(null), owner.site.key);
  await phone.bubble.log.getByText("Ma question secrète").first().waitFor({ state: "hidden" });
  await phone.bubble.input.waitFor();

  // The next person at the same computer, on the same page without an identity.
  await laptop.page.close();
  const next = await visit(owner, { context: laptop.device, name: "signed-out" });
  await next.bubble.open();
  await next.bubble.log.waitFor();
  assert.ok(!(await next.bubble.text()).includes("secrète"));
  assert.deepEqual(next.seen.errors, []);
});

test("an identity that the edge refuses is told to the owner in the console, and to the visitor in words", async () => {
  const owner = await Owner.with(edge, "wrong-secret", { limits: GENEROUS }, anywhere);
  await owner.post("/identity-secrets");
  const identity = jwt("0".repeat(64), { sub: "7", tier: "premium", exp: inSeconds(600) });
  const { page, bubble, seen } = await visit(owner, { attribute: `data-identity="${identity}"` });
  await bubble.launcher.click();
  await bubble.dialog.getByText("n’a pas pu vous reconnaître").first().waitFor();
  assert.ok(seen.errors.some((line) => line.includes("identity-secrets")), seen.errors.join("\n"));
  assert.deepEqual(await violations(page), []);
});
