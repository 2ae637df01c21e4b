// Pages with a strict Content Security Policy: the bubble in the page, or in a frame where the policy refuses
// WebAssembly; and the frame itself.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bubble, picture } from "./support/browser.mjs";
import { ANSWER, QUESTION, call, host, open, talk, talkIn } from "./support/host-page.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";
import { edge, site, start } from "./support/start.mjs";

start();

describe("strict pages", () => {
  const example = (name, options) => open(`${edge.site}/strict/${name}.html`, options);

  for (const name of ["nonce", "trusted-types", "isolated"]) {
    test(`${name}: in the page, without a report`, async () => {
      const visitor = await example(name);
      await talk(visitor);
      if (name === "isolated") assert.equal(await visitor.page.evaluate(() => crossOriginIsolated), true);
      assert.deepEqual(await visitor.reports(), []);
      assert.deepEqual(visitor.seen.errors, []);
    });
  }

  test("element: in the page, without a report", async () => {
    const { page, seen, reports } = await example("element");
    await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
    assert.deepEqual(await reports(), []);
    assert.deepEqual(seen.errors, []);
  });

  for (const name of ["frame", "isolated-frame"]) {
    test(`${name}: in a frame, without a report`, async () => {
      const { page, bubble, frame, reports, seen } = await example(name);
      await bubble.launcher.click();
      await talkIn(frame);
      assert.deepEqual(await reports(), []);
      assert.deepEqual(seen.errors, []);
      assert.deepEqual(seen.requests.filter((line) => line.endsWith(".wasm")).length, 1, "the frame's own");
      await picture(page, name);
    });
  }

  test("hashes: WebAssembly is refused once, and a frame takes over", async () => {
    const { page, bubble, frame, reports, seen, uncaught } = await example("hashes");
    await bubble.launcher.click();
    await talkIn(frame);
    assert.deepEqual(await reports(), ["script-src wasm-eval"]);
    assert.deepEqual(seen.errors.filter((line) => !/WebAssembly|wasm/i.test(line)), []);
    assert.deepEqual(await uncaught(), []);
    // Closing and opening by the keyboard.
    await frame.getByRole("textbox").press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    assert.ok(await bubble.launcher.evaluate((node) => node.getRootNode().activeElement === node));
    await page.keyboard.press("Enter");
    await frame.getByRole("textbox").waitFor();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.dialog.waitFor({ state: "hidden" });
  });

  test("no-connection: what is refused is seen, and a frame takes over", async () => {
    const { bubble, frame, reports, uncaught } = await example("no-connection");
    await bubble.launcher.click();
    await talkIn(frame);
    assert.ok((await reports()).every((line) => line.startsWith("connect-src ")), (await reports()).join());
    assert.deepEqual(await uncaught(), []);
  });

  test("no-frame: a calm message with a link to the bot's own page", async () => {
    const { page, context, bubble, uncaught } = await example("no-frame");
    await bubble.launcher.click();
    const link = bubble.dialog.getByRole("link", { name: "Open the chat" });
    await link.waitFor();
    await picture(page, "no-frame");
    const [tab] = await Promise.all([context.waitForEvent("page"), link.click()]);
    await talkIn(tab.getByRole("region", { name: "Boulangerie Nord" }));
    assert.deepEqual(await uncaught(), []);
  });
});

describe("the frame", () => {
  const framed = (owner, more = "") => `<script async src="${edge.url}/s/${owner?.site.key ?? "plain-demo"}.js" data-frame ${more}></script>`;

  test("the page hears that it is ready, open and closed, and nothing of what is said", async () => {
    const { page, bubble, frame } = await host(framed());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.heard = [];
      window.posted = [];
      addEventListener("message", ({ data }) => posted.push(JSON.stringify(data)));
      for (const kind of ["ready", "open", "close", "message", "reply", "error", "unread"]) {
        Bulle["plain-demo"].on(kind, (detail) => heard.push([kind, JSON.stringify(detail)]));
      }
    });
    await call(page, "ask", QUESTION);
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.dialog.waitFor({ state: "hidden" });
    const heard = await page.evaluate(() => heard);
    assert.deepEqual(heard, [["open", "{}"], ["ready", "{}"], ["close", "{}"]]);
    assert.deepEqual(await page.evaluate(() => posted), ['"bulle"']);
  });

  test("messages from elsewhere are no messages of the frame", async () => {
    const { page, bubble, frame } = await host(framed());
    await bubble.launcher.click();
    await page.evaluate(() => {
      postMessage("bulle", "*");
      window.dispatchEvent(new MessageEvent("message", { data: "bulle", origin: "https://evil.example", source: window }));
    });
    await talkIn(frame);
    // The frame sends no message to a page that does not frame it.
    const { page: other } = await open(`${edge.url}/c/plain-demo`);
    await other.evaluate(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (window.spoken = true);
      postMessage("bulle", "*", [port2]);
    });
    await other.getByRole("region").getByRole("textbox").waitFor();
    assert.equal(await other.evaluate(() => window.spoken), undefined);
  });

  test("a known visitor is known in it, and forgotten in it", async () => {
    const owner = await Owner.with(edge, "framed", { limits: GENEROUS }, [site.url]);
    const { secret } = await owner.post("/identity-secrets");
    const identity = jwt(secret, { sub: "7", tier: "premium", exp: inSeconds(600), name: "Ada" });
    const { page, frame } = await host(framed(owner, `data-identity="${identity}"`), { path: "/known", locale: "fr-FR" });
    const bubble = new Bubble(page, "fr");
    await bubble.launcher.click();
    await frame.getByRole("textbox").fill("Ma question secrète");
    await frame.getByRole("textbox").press("Enter");
    await frame.getByRole("log").getByText("Ma question secrète").first().waitFor();
    await frame.getByRole("button", { name: "Envoyer" }).waitFor();
    // On another device, with a function as identity.
    const phone = await host(framed(owner), { path: "/phone", locale: "fr-FR" });
    await phone.page.evaluate(([, jwt]) => {
      window.asked = 0;
      (window.Bulle ||= []).push(["identify", async () => (window.asked += 1, jwt)]);
    }, [owner.site.key, identity]);
    await new Bubble(phone.page, "fr").launcher.click();
    await phone.frame.getByRole("log").getByText("Ma question secrète").first().waitFor();
    assert.ok((await phone.page.evaluate(() => window.asked)) > 0);
    await phone.page.evaluate((key) => Bulle[key].signOut(), owner.site.key);
    await phone.frame.getByRole("log").getByText("Ma question secrète").first().waitFor({ state: "hidden" });
    await phone.frame.getByRole("textbox").waitFor();
  });

  test("storage that is blocked in it costs the memory, not the chat", async () => {
    const { bubble, frame, uncaught } = await host(framed(), {
      script: () => {
        if (window === top) return;
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, { get: () => { throw new DOMException("blocked", "SecurityError"); } });
        }
      },
    });
    await bubble.launcher.click();
    await talkIn(frame);
    assert.deepEqual(await uncaught(), []);
  });
});
