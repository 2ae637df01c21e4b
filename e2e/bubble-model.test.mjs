// The bubble before a model that is slow, broken or cut off: what a visitor sees, and that nothing is asked twice.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Bubble, launch, picture, servePages, violations, watch } from "./support/browser.mjs";
import { answer, pause, startNetwork, startUpstream, stream } from "./support/upstream.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const WORDS = Array.from({ length: 30 }, (_, n) => `mot${n} `).concat("[1]. Fin");
const WHOLE = WORDS.slice(0, 30).join("").trim();

let upstream, edge, browser, page, context, bubble, seen;
before(async () => {
  upstream = await startUpstream();
  browser = await launch();
  const patience = { MODEL_FIRST_TOKEN_MS: "3000", MODEL_BETWEEN_TOKENS_MS: "3000" };
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock", ...patience } });
});
after(async () => {
  await browser?.close();
  upstream?.stop();
  await edge?.stop();
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ locale: "fr-FR", viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  seen = watch(page);
  await page.goto(`${edge.site}/digital-twin/`);
  bubble = await new Bubble(page).open();
  upstream.requests.length = 0;
});

const slowly = (response) => stream(response, answer(WORDS), { wait: 80 });

async function answeredOnce() {
  await bubble.log.getByText("Fin").first().waitFor({ timeout: 20_000 });
  await bubble.settled();
  const text = (await bubble.text()).replace(/\s+/g, " ");
  assert.ok(text.includes(WHOLE), text);
  assert.equal(text.split("mot29").length, 2, text);
  assert.equal(text.split(QUESTION).length, 2, text);
  assert.equal(upstream.requests.length, 1);
}

test("an answer streams in", async () => {
  upstream.behave = slowly;
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot3").first().waitFor();
  assert.ok(!(await bubble.text()).includes("mot29"));
  await bubble.stop.waitFor();
  await picture(page, "streaming");
  assert.deepEqual(await violations(page), []);
  await answeredOnce();
  assert.deepEqual(seen.errors, []);
});

test("a reload in the middle finds the whole answer, once", async () => {
  upstream.behave = slowly;
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot5").first().waitFor();
  await page.reload();
  await bubble.input.waitFor({ timeout: 5_000 }).catch(() => bubble.open());
  await answeredOnce();
});

test("a connection that is cut in the middle, again and again, shows the whole answer, once", async () => {
  const network = await startNetwork(edge.port);
  const site = await servePages({
    "/": `<!doctype html><html lang="fr"><title>Host</title><body><script src="${network.url}/s/twin-demo.js"></script>`,
  });
  try {
    await page.goto(site.url);
    await bubble.open();
    upstream.behave = slowly;
    await bubble.ask(QUESTION);
    for (const word of ["mot3", "mot12", "mot20"]) {
      await bubble.log.getByText(word).first().waitFor();
      network.cut();
      await bubble.dialog.getByText("Connexion perdue").first().waitFor();
      if (word === "mot12") await picture(page, "reconnecting");
      network.mend();
    }
    await answeredOnce();
    assert.equal(await bubble.dialog.getByText("Connexion perdue").count(), 0);
  } finally {
    network.stop();
    site.stop();
  }
});

test("a network that is gone for the rest of the answer is told, and asked for when it is back", async () => {
  const network = await startNetwork(edge.port);
  const site = await servePages({
    "/": `<!doctype html><html lang="fr"><title>Host</title><body><script src="${network.url}/s/twin-demo.js"></script>`,
  });
  try {
    await page.goto(site.url);
    await bubble.open();
    upstream.behave = slowly;
    await bubble.ask(QUESTION);
    await bubble.log.getByText("mot3").first().waitFor();
    network.cut();
    await pause(4000);
    network.mend();
    await answeredOnce();
  } finally {
    network.stop();
    site.stop();
  }
});

test("a message written offline is sent once, when the network is back", async () => {
  upstream.behave = slowly;
  await context.setOffline(true);
  await bubble.ask(QUESTION);
  await bubble.dialog.getByText("hors ligne").first().waitFor();
  assert.equal(await bubble.count(QUESTION), 1);
  await context.setOffline(false);
  await answeredOnce();
});

test("stopping keeps what was written", async () => {
  upstream.behave = slowly;
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot5").first().waitFor();
  await bubble.stop.click();
  await bubble.dialog.getByText("Vous avez arrêté").first().waitFor();
  const text = await bubble.text();
  assert.ok(text.includes("mot5") && !text.includes("mot29"));
  await bubble.settled();
});

for (const [name, behave, says] of [
  ["refuses", (response) => response.writeHead(503).end(), "ne peut pas répondre"],
  ["is silent", () => pause(10_000), "trop de temps"],
  ["breaks off", (response) => stream(response, answer(WORDS).slice(0, 8)), "interrompue"],
]) {
  test(`a model that ${name} is told kindly, and asked again on request`, async () => {
    upstream.behave = behave;
    await bubble.ask(QUESTION);
    await bubble.dialog.getByText(says).first().waitFor({ timeout: 15_000 });
    await picture(page, `error-${name.replace(" ", "-")}`);
    assert.deepEqual(await violations(page), []);
    assert.equal(await bubble.count(QUESTION), 1);
    upstream.requests.length = 0;
    upstream.behave = slowly;
    await bubble.retry.click();
    await answeredOnce();
    assert.equal(await bubble.dialog.getByText(says).count(), 0);
  });
}
