// The bubble with a model that is slow, fails or breaks off: what the visitor sees, and that the model is asked once.
import assert from "node:assert/strict";
import { once } from "node:events";
import { beforeEach, test } from "node:test";
import { Bubble, picture, servePages, violations, watch } from "./support/browser.mjs";
import { browser, edge, start, upstream } from "./support/start.mjs";
import { answer, paced, startNetwork, stream } from "./support/upstream.mjs";
import { until } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const WORDS = Array.from({ length: 30 }, (_, n) => `mot${n} `).concat("[1]. Fin");
const WHOLE = WORDS.slice(0, 30).join("").trim();

const patience = { MODEL_FIRST_TOKEN_MS: "6000", MODEL_BETWEEN_TOKENS_MS: "6000" };
start({ model: true, vars: patience });
let page, context, bubble, seen;
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ locale: "fr-FR", viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  seen = watch(page);
  await page.goto(`${edge.site}/digital-twin/`);
  bubble = await new Bubble(page).open();
  upstream.requests.length = 0;
});

/** The model sends so many words, and the others when the test says so. */
function words(count) {
  const pace = paced(answer(WORDS), count);
  upstream.behave = pace.behave;
  return pace;
}

const whole = (response) => stream(response, answer(WORDS));

async function answeredOnce() {
  await bubble.log.getByText("Fin").first().waitFor();
  await bubble.settled();
  const text = (await bubble.text()).replace(/\s+/g, " ");
  assert.ok(text.includes(WHOLE), text);
  assert.equal(text.split("mot29").length, 2, text);
  assert.equal(text.split(QUESTION).length, 2, text);
  assert.equal(upstream.requests.length, 1);
}

test("an answer streams in", async () => {
  const pace = words(8);
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot7").first().waitFor();
  assert.ok(!(await bubble.text()).includes("mot29"));
  await bubble.stop.waitFor();
  await picture(page, "streaming");
  assert.deepEqual(await violations(page), []);
  pace.rest();
  await answeredOnce();
  assert.deepEqual(seen.errors, []);
});

test("a reload in the middle finds the whole answer, once", async () => {
  const pace = words(6);
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot5").first().waitFor();
  await page.reload();
  await bubble.reopen();
  pace.rest();
  await answeredOnce();
});

/** The bubble on a page whose connection to the edge can be cut, with an answer in progress. */
async function throughNetwork(run) {
  const network = await startNetwork(edge.port);
  const site = await servePages({
    "/": `<!doctype html><html lang="fr"><title>Host</title><body><script src="${network.url}/s/twin-demo.js"></script>`,
  });
  try {
    await page.goto(site.url);
    await bubble.open();
    const pace = words(4);
    await bubble.ask(QUESTION);
    await bubble.log.getByText("mot3").first().waitFor();
    await run(network, pace);
    await answeredOnce();
  } finally {
    network.stop();
    site.stop();
  }
}

test("a connection that is cut in the middle, again and again, shows the whole answer, once", () =>
  throughNetwork(async (network, pace) => {
    for (const next of [13, 21, 25]) {
      network.cut();
      await bubble.dialog.getByText("Connexion perdue").first().waitFor();
      if (next === 21) await picture(page, "reconnecting");
      pace.upTo(next);
      network.mend();
      await bubble.log.getByText(`mot${next - 1}`).first().waitFor();
    }
    pace.rest();
    await bubble.dialog.getByText("Connexion perdue").first().waitFor({ state: "detached" });
  }));

test("a network that is gone for the rest of the answer is asked for it when it is back", () =>
  throughNetwork(async (network, pace) => {
    const before = upstream.closed;
    network.cut();
    pace.rest();
    await until("the model has said all", () => upstream.closed > before);
    network.mend();
  }));

test("a message written offline is sent once, when the network is back", async () => {
  upstream.behave = whole;
  await context.setOffline(true);
  await bubble.ask(QUESTION);
  await bubble.dialog.getByText("hors ligne").first().waitFor();
  assert.equal(await bubble.count(QUESTION), 1);
  await context.setOffline(false);
  await answeredOnce();
});

test("stopping keeps what was written", async () => {
  words(6);
  await bubble.ask(QUESTION);
  await bubble.log.getByText("mot5").first().waitFor();
  await bubble.stopAnswer("Vous avez arrêté");
  const text = await bubble.text();
  assert.ok(text.includes("mot5") && !text.includes("mot29"));
  await bubble.settled();
});

test("a message that the edge has not acknowledged is sent by the next page, once", async () => {
  upstream.behave = whole;
  // The first post never arrives.
  await page.route("**/messages", (route) => (route.request().method() === "POST" ? undefined : route.continue()));
  await bubble.ask(QUESTION);
  await bubble.log.getByText(QUESTION).first().waitFor();
  await page.waitForFunction(() => sessionStorage.getItem("bulle-outbox:twin-demo"));
  await page.unroute("**/messages");
  await page.reload();
  await bubble.reopen();
  await answeredOnce();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("bulle-outbox:twin-demo")), null);
});

test("a double click sends, and does not stop the answer", async () => {
  upstream.behave = whole;
  await bubble.input.fill(QUESTION);
  await bubble.send.dblclick();
  await answeredOnce();
});

test("a message that came too soon is sent by itself when the limit ends, before the next", async () => {
  upstream.behave = (response) => stream(response, answer(["Fin"]));
  let refused = 0;
  await page.route("**/messages", async (route) => {
    if (route.request().method() !== "POST" || refused++ > 0) return route.continue();
    const headers = { "access-control-allow-origin": edge.site, "content-type": "application/problem+json" };
    const problem = { type: "urn:bulle:problem:rate_limited", title: "Too many", status: 429, detail: "Too many" };
    await route.fulfill({ status: 429, headers, json: { ...problem, code: "rate_limited", retry_after: 2 } });
  });
  await bubble.ask(QUESTION);
  await bubble.dialog.getByText("beaucoup de messages").first().waitFor();
  await picture(page, "limited");
  assert.deepEqual(await violations(page), []);
  await bubble.ask("Et ensuite ?");
  await bubble.log.getByText("Fin").nth(1).waitFor();
  assert.deepEqual(
    upstream.requests.map(({ body }) => [QUESTION, "Et ensuite ?"].findIndex((text) => body.messages.at(-1).content.includes(text))),
    [0, 1],
  );
});

test("what was said to screen readers is gone after a while", async () => {
  upstream.behave = (response) => stream(response, answer(["Fin"]));
  await bubble.ask(QUESTION);
  await bubble.log.getByText("Fin").first().waitFor();
  const status = bubble.dialog.getByRole("status");
  await status.filter({ hasText: "Fin" }).waitFor();
  await until("it is gone", async () => (await status.allInnerTexts()).join("").trim() === "");
});

test("a picture in an answer is fetched when the visitor asks for it, and never before", async () => {
  const words = ["Voici ", "![un plan](https://images.invalid/plan.png?secret=1)", " et ", "![](https://images.invalid/b.png)", ". Fin"];
  upstream.behave = (response) => stream(response, answer(words));
  await bubble.ask(QUESTION);
  const show = bubble.log.getByRole("button", { name: "Afficher l’image : un plan" });
  await show.waitFor();
  await bubble.settled();
  assert.ok(!seen.requests.some((line) => line.includes("plan.png") || line.includes("b.png")));
  assert.equal(await bubble.log.locator("img").count(), 0);

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"/>';
  const referrers = [];
  await page.route("https://images.invalid/**", (route) => {
    referrers.push(route.request().headers().referer);
    return route.fulfill({ contentType: "image/svg+xml", body: svg });
  });
  await show.click();
  const image = bubble.log.getByRole("img", { name: "un plan" });
  await image.waitFor();
  await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("plan.png")));
  assert.deepEqual(referrers, [undefined]);
  assert.equal(await bubble.log.getByRole("link", { name: "un plan" }).getAttribute("href"), "https://images.invalid/plan.png?secret=1");
  assert.ok(!seen.requests.some((line) => line.includes("b.png")), "the other one was not asked for");
});

const MIXED = [
  "# Tarifs\n\nVoici les prix du jour, par pièce et par douzaine [1].\n\n",
  "| Produit | Ingrédients principaux | Prix | Douzaine |\n|---|---|--:|--:|\n",
  "| Baguette de tradition | Farine, eau, sel, levain | 1,30 € | 14,00 € |\n| Croissant | Farine, beurre | 1,20 € | 13,00 € |\n\n",
  "```rust\nfn price(pieces: u32) -> f64 { f64::from(pieces) * 1.30 /* a comment that goes on and on to the right */ }\n```\n\nFin",
];

for (const [name, options] of [
  ["desktop", { viewport: { width: 1280, height: 800 } }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
  ["dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
]) {
  test(`${name}: a table, code and open sources, without violations`, async () => {
    upstream.behave = (response) => stream(response, answer(MIXED));
    await context.close();
    context = await browser.newContext({ locale: "fr-FR", ...options });
    page = await context.newPage();
    await page.goto(`${edge.site}/digital-twin/`);
    bubble = await new Bubble(page).open();
    await bubble.ask(QUESTION);
    await bubble.log.getByText("Fin").first().waitFor();
    await bubble.settled();
    await picture(page, `${name}-mixed`);
    assert.deepEqual(await violations(page), []);
    await bubble.log.locator("summary").click();
    await bubble.log.evaluate((node) => node.scrollTo(0, node.scrollHeight));
    await picture(page, `${name}-sources`);
    assert.deepEqual(await violations(page), []);
    const sideways = await bubble.log.evaluate((node) => node.scrollWidth > node.clientWidth);
    assert.equal(sideways, false);
  });
}

test("a model that breaks off is told kindly, and goes on upon request", async () => {
  upstream.behave = (response) => stream(response, answer(WORDS).slice(0, 8));
  await bubble.ask(QUESTION);
  const told = bubble.dialog.getByText("interrompue");
  await told.first().waitFor();
  await picture(page, "error-breaks-off");
  assert.deepEqual(await violations(page), []);
  assert.equal(await bubble.count(QUESTION), 1);
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(WORDS.slice(8)));
  await bubble.retry.click();
  await answeredOnce();
  // The announced text is removed a moment later.
  await told.first().waitFor({ state: "detached" });
});

for (const [name, behave] of [
  ["refuses", (response) => response.writeHead(503).end()],
  ["is silent", (response) => once(response, "close")],
]) {
  test(`a model that ${name} is replaced by the documents`, async () => {
    upstream.behave = behave;
    await bubble.ask(QUESTION);
    await bubble.log.getByText("8 ans d'expérience de Kubernetes").first().waitFor();
    await bubble.settled();
    await picture(page, `model-${name.replace(" ", "-")}`);
    assert.deepEqual(await violations(page), []);
    assert.equal(await bubble.count(QUESTION), 1);
  });
}
