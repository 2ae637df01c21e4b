// Images of an answer, loaded after the visitor's click: from which host, and on a page whose policy refuses it.
import assert from "node:assert/strict";
import { createServer } from "node:https";
import { after, before, test } from "node:test";
import { generate } from "selfsigned";
import { host, open, tag } from "./support/host-page.mjs";
import { edge, start, upstream } from "./support/start.mjs";
import { answer, stream } from "./support/upstream.mjs";
import { listen } from "./support/listen.mjs";

start({ model: true });

/** An image of one pixel. */
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/**
 * A foreign image host, without headers for embedding or CORS. It is a real server, because
 * `Cross-Origin-Embedder-Policy` is not applied to responses that the test itself gives.
 */
let images;
const asked = [];
before(async () => {
  const { private: key, cert } = await generate();
  const server = createServer({ key, cert }, (request, response) => {
    asked.push(request.headers);
    response.writeHead(200, { "content-type": "image/png", "cache-control": "no-store" });
    response.end(PNG);
  });
  await listen(server);
  images = { url: `https://127.0.0.1:${server.address().port}/plan.png`, stop: () => (server.closeAllConnections(), server.close()) };
});
after(() => images?.stop());

/** Asks a question, then clicks for the image of its answer. `place` is a page, a frame or the panel. */
async function show(place) {
  asked.length = 0;
  upstream.behave = (response) => stream(response, answer(["Look: ", `![the way](${images.url})`, " Done."]));
  await place.getByRole("textbox").fill("Where are you?");
  await place.getByRole("textbox").press("Enter");
  await place.getByText("Done.").first().waitFor();
  await place.getByRole("button", { name: "Send" }).waitFor();
  assert.equal(asked.length, 0, "not before the visitor asks");
  await place.getByRole("button", { name: "Show the image: the way" }).click();
  const link = place.getByRole("link", { name: "the way" });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), images.url);
  return place.getByRole("img", { name: "the way" });
}

/** Waits until the image has been loaded or refused; its width in pixels, 0 for a refused one. */
const width = (image) => image.evaluate(async (image) => (await image.decode().catch(() => {}), image.naturalWidth));

/** The image is shown, and its host has received no data of the visitor. */
async function isShown(place) {
  assert.equal(await width(await show(place)), 1);
  assert.equal(asked.length, 1);
  assert.deepEqual([asked[0].referer, asked[0].cookie], [undefined, undefined]);
}

const options = { ignoreHTTPSErrors: true };

test("the page of its own shows it, from any host", async () => {
  const { page, reports } = await open(`${edge.url}/c/plain-demo`, options);
  await isShown(page);
  assert.deepEqual(await reports(), []);
});

test("so does the frame, also of a page that is cross-origin isolated", async () => {
  for (const name of ["frame", "isolated-frame"]) {
    const { bubble, frame, reports } = await open(`${edge.site}/strict/${name}.html`, options);
    await bubble.launcher.click();
    await isShown(frame);
    assert.deepEqual(await reports(), []);
  }
});

const policy = (images) => ({ "content-security-policy": `default-src 'none'; script-src ${edge.url} 'wasm-unsafe-eval'; connect-src ${edge.url}; img-src ${images}` });

test("so does a page whose policy allows it", async () => {
  const { bubble, reports } = await host(tag(), { path: "/allowed", headers: policy("https:"), ...options });
  await bubble.open();
  await isShown(bubble.dialog);
  assert.deepEqual(await reports(), []);
});

test("where the policy refuses it, its name is a link to it", async () => {
  const { page, bubble, reports } = await host(tag(), { path: "/refused", headers: policy("'self'"), ...options });
  await bubble.open();
  const image = await show(bubble.dialog);
  await page.waitForFunction(() => reports.length);
  assert.equal(await width(image), 0);
  assert.equal(asked.length, 0);
  // The alternative text is shown where the image would be.
  const { height, width: across } = await image.boundingBox();
  assert.ok(height > 10 && across > 20, `${across} × ${height}`);
  assert.deepEqual(await reports(), [`img-src ${images.url}`]);
});
