// Scrolling: the list follows a new answer where it should, a button leads back to its end, and the page does not
// scroll.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Bubble, focused, picture, violations, watch } from "./support/browser.mjs";
import { answer } from "./support/upstream.mjs";
import { browser, edge, start, upstream } from "./support/start.mjs";

start({ model: true });

const QUESTION = "Do you deliver?";
const NEWEST = "New messages";
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Paragraphs that fill the panel more than once. */
const lines = (from, to) => Array.from({ length: to - from }, (_, n) => `Line ${from + n}.\n\n`);

/** The model writes one part of its answer at each call. */
function dictate() {
  const parts = [];
  let wake = () => {};
  upstream.behave = async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (;;) {
      while (parts.length === 0) await new Promise((resolve) => (wake = resolve));
      const part = parts.shift();
      if (!part) return response.end(answer(["The end."]).join(""));
      // The bytes of an answer without its end.
      response.write(answer(part).slice(0, part.length).join(""));
    }
  };
  const say = (part) => (parts.push(part), wake());
  return { say, end: () => say(undefined) };
}

beforeEach(() => {
  upstream.behave = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(answer([...lines(0, 40), "The end."]).join(""));
  };
});

async function open({ path = "/plain/", context, script, ...options } = {}) {
  context ??= await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const seen = watch(page);
  if (script) await page.addInitScript(script);
  await page.goto(edge.site + path);
  const bubble = await new Bubble(page, "en").open();
  const newest = bubble.dialog.getByRole("button", { name: NEWEST });
  return { page, context, bubble, seen, newest };
}

const place = (bubble) => bubble.log.evaluate(({ scrollTop, scrollHeight, clientHeight }) => ({ top: scrollTop, left: scrollHeight - scrollTop - clientHeight }));

/** Turns the wheel over the list, and waits until it stands still. */
async function wheel({ page, bubble }, by) {
  await bubble.log.hover();
  await bubble.log.evaluate((log) => {
    window.stands = new Promise((resolve) => log.addEventListener("scrollend", resolve, { once: true }));
  });
  await page.mouse.wheel(0, by);
  await page.evaluate(() => window.stands);
}

/** Waits two frames, until all arrived content is drawn. */
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

describe("who scrolls up while an answer is written", () => {
  test("stays there, is told of it in words, and gets to its end, which is followed from then on", async () => {
    const visitor = await open();
    const { page, bubble, newest, seen } = visitor;
    await bubble.ask(QUESTION);
    await bubble.log.getByText("The end.").waitFor();
    await bubble.settled();
    const model = dictate();
    await bubble.ask("And on Sundays?");
    model.say(lines(100, 105));
    await bubble.log.getByText("Line 104.").waitFor();
    await wheel(visitor, -400);
    const { top } = await place(bubble);
    model.say(lines(105, 130));
    await bubble.log.getByText("Line 129.").waitFor();
    await drawn(page);
    assert.equal((await place(bubble)).top, top);
    await newest.waitFor();
    assert.equal(await newest.innerText(), NEWEST);
    await picture(page, "new-messages");
    assert.deepEqual(await violations(page), []);
    model.say(lines(130, 140));
    await bubble.log.getByText("Line 139.").waitFor();
    await drawn(page);
    assert.equal((await place(bubble)).top, top);

    await newest.click();
    await newest.waitFor({ state: "detached" });
    assert.ok((await place(bubble)).left < 2);
    assert.equal(await focused(page, "log"), "log");
    model.say(lines(140, 160));
    await bubble.log.getByText("Line 159.").waitFor();
    await drawn(page);
    assert.ok((await place(bubble)).left < 2, "the end is followed");
    // From the first pixel of scrolling up.
    await wheel(visitor, -30);
    const near = await place(bubble);
    model.say(lines(160, 170));
    await bubble.log.getByText("Line 169.").waitFor();
    await drawn(page);
    assert.equal((await place(bubble)).top, near.top);
    model.end();
    await bubble.log.getByText("The end.").nth(1).waitFor();
    await bubble.settled();
    assert.equal((await place(bubble)).top, near.top);
    await newest.waitFor();
    assert.deepEqual(seen.errors, []);
  });

  for (const [name, whole] of [["in pieces", false], ["all at once", true]]) {
    test(`is told of what another tab has asked: ${name}`, async () => {
      const first = await open();
      await first.bubble.ask(QUESTION);
      await first.bubble.log.getByText("The end.").waitFor();
      await first.bubble.settled();
      const second = await open({ context: first.context });
      await second.bubble.log.getByText("The end.").waitFor();
      await first.page.bringToFront();
      await first.newest.click();
      await wheel(first, -500);
      const { top } = await place(first.bubble);
      assert.equal(await first.newest.count(), 0);
      const model = whole ? undefined : dictate();
      await second.bubble.ask("And on Sundays?");
      model?.say(lines(100, 120));
      if (model) await first.bubble.log.getByText("Line 119.").waitFor();
      else await first.bubble.log.getByText("The end.").nth(1).waitFor();
      await first.newest.waitFor();
      assert.equal((await place(first.bubble)).top, top);
      model?.end();
      await first.bubble.log.getByText("The end.").nth(1).waitFor();
      await first.newest.click();
      assert.ok((await place(first.bubble)).left < 2);
    });
  }

  test("in every language in its words, on a phone", async () => {
    for (const locale of ["de", "ar"]) {
      const context = await browser.newContext({ locale, ...PHONE });
      const page = await context.newPage();
      await page.goto(`${edge.site}/plain/`);
      await page.locator("[data-bulle] .launcher").click();
      const bubble = new Bubble(page);
      await bubble.ask(QUESTION);
      await bubble.log.getByText("The end.").waitFor();
      const newest = bubble.dialog.getByRole("button", { name: { de: "Neue Nachrichten", ar: "رسائل جديدة" }[locale] });
      await newest.waitFor();
      const [box, log] = [await newest.boundingBox(), await bubble.log.boundingBox()];
      assert.ok(box.height >= 44 && box.x >= log.x && box.x + box.width <= log.x + log.width);
      assert.ok(Math.abs(box.x + box.width / 2 - 195) < 2, "in the middle");
      await picture(page, `new-messages-${locale}`);
      await context.close();
    }
  });
});

test("the way to the end of a long answer stands below the list, and goes with the conversation", async () => {
  const { page, bubble, newest } = await open();
  const dialog = (role, name) => bubble.dialog.getByRole(role, { name, exact: true });
  const long = upstream.behave;
  upstream.behave = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(answer(["Short."]).join(""));
  };
  await bubble.ask("Is it short?");
  await bubble.log.getByText("Short.").waitFor();
  await dialog("button", "New conversation").click();
  upstream.behave = long;
  const askAtLength = async () => {
    await bubble.ask(QUESTION);
    await bubble.log.getByText("The end.").waitFor();
    await bubble.settled();
    await newest.waitFor();
  };
  await askAtLength();
  const [list, way] = [await bubble.log.boundingBox(), await newest.boundingBox()];
  assert.ok(way.y >= list.y + list.height, "it covers no words");
  // Near the end it is still there: the list would jump if it went.
  await bubble.log.evaluate((log) => log.scrollTo(0, log.scrollHeight - log.clientHeight - 20));
  await drawn(page);
  assert.ok((await place(bubble)).left >= 19);
  // One that is found in the menu.
  await dialog("button", "Menu").click();
  await bubble.dialog.getByRole("region", { name: "Menu" }).getByRole("button", { name: /^Is it short/ }).click();
  await bubble.log.getByText("Short.").waitFor();
  await newest.waitFor({ state: "detached" });
  // A new one.
  await dialog("button", "New conversation").click();
  await askAtLength();
  await dialog("button", "New conversation").click();
  await newest.waitFor({ state: "detached" });
  // Erased with everything else.
  await askAtLength();
  await dialog("button", "Menu").click();
  await dialog("button", "Erase everything about me").click();
  await dialog("button", "Erase everything").click();
  await bubble.dialog.getByText("Everything about you has been erased.").waitFor();
  await page.keyboard.press("Escape");
  await newest.waitFor({ state: "detached" });
});

test("a citation opens its source, and the page around the bubble stays where it is", async () => {
  upstream.behave = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(answer(["By cargo bike [1].\n\n", ...lines(0, 40), "The end [2]."]).join(""));
  };
  const { page, bubble } = await open({ viewport: { width: 1280, height: 560 } });
  await page.evaluate(() => scrollTo(0, 120));
  await bubble.ask("Do you deliver, and when are you open?");
  await bubble.log.getByText("The end").waitFor();
  await bubble.settled();
  const cite = bubble.log.getByRole("button", { name: /^Source 1: / });
  const details = bubble.log.locator("details");
  assert.equal(await details.getAttribute("open"), null);
  await cite.click();
  assert.notEqual(await details.getAttribute("open"), null);
  const card = bubble.log.getByRole("listitem").filter({ hasText: /^1/ }).last();
  assert.ok(await card.evaluate((node) => node.getRootNode().activeElement === node), "the card has the focus");
  const [box, log] = [await card.boundingBox(), await bubble.log.boundingBox()];
  assert.ok(box.y >= log.y && box.y + box.height <= log.y + log.height, JSON.stringify([box, log]));
  assert.equal(await page.evaluate(() => scrollY), 120);
  assert.equal(await bubble.log.getByRole("link").first().getAttribute("target"), "_blank");
  await picture(page, "cited");
});

describe("a panel that fills the screen", () => {
  test("keeps the page where it is, wherever a finger draws", async () => {
    const { page, bubble } = await open(PHONE);
    const client = await page.context().newCDPSession(page);
    const menu = bubble.dialog.getByRole("region", { name: "Menu" });
    /** Drags a finger over the middle of an element, and waits until scrolling has stopped. */
    const drag = async (locator, by) => {
      const box = await locator.boundingBox();
      const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 400)];
      const touch = (type, ...touchPoints) => client.send("Input.dispatchTouchEvent", { type, touchPoints });
      await touch("touchStart", { x, y });
      for (let part = 1; part <= 10; part += 1) await touch("touchMove", { x, y: y + (by * part) / 10 });
      await touch("touchEnd");
      await page.evaluate(async () => {
        for (let still = 0, was; still < 5; still = scrollY === was ? still + 1 : 0) {
          was = scrollY;
          await new Promise(requestAnimationFrame);
        }
      });
    };
    const at = () => page.evaluate(() => Math.round(scrollY));
    await page.evaluate(() => scrollTo(0, 200));
    assert.ok(await bubble.log.evaluate((log) => log.scrollHeight > log.clientHeight), "for browsers that hand on what is drawn over a list without scrolling");
    for (const [name, locator] of [
      ["header", bubble.dialog.locator(".header")],
      ["short list", bubble.log],
      ["composer", bubble.dialog.locator(".below")],
      ["text field", bubble.input],
      ["menu", menu],
    ]) {
      if (locator === menu) await bubble.dialog.getByRole("button", { name: "Menu", exact: true }).click();
      for (const by of [-150, 150]) {
        await drag(locator, by);
        assert.equal(await at(), 200, `${name}, ${by}`);
      }
    }
    await page.keyboard.press("Escape");
    await bubble.ask(QUESTION);
    await bubble.log.getByText("The end.").waitFor();
    await bubble.settled();
    // At either end of a long list, and in its middle.
    for (const part of [0, 0.5, 1]) {
      for (const by of [-150, 150]) {
        await bubble.log.evaluate((log, part) => log.scrollTo(0, part * (log.scrollHeight - log.clientHeight)), part);
        await drag(bubble.log, by);
        assert.equal(await at(), 200, `long list at ${part}, ${by}`);
      }
    }
    await page.route("**/v1/**", (route) => route.abort());
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await page.evaluate(() => scrollTo(0, 200));
    await bubble.launcher.click();
    await bubble.retry.waitFor();
    for (const by of [-150, 150]) {
      await drag(bubble.dialog.locator(".cover"), by);
      assert.equal(await at(), 200, `cover, ${by}`);
    }
    // The page scrolls by a finger when the panel is closed.
    await page.getByRole("button", { name: "Close the chat" }).first().click();
    await bubble.dialog.waitFor({ state: "hidden" });
    await drag(page.locator("main"), -150);
    assert.ok((await at()) > 200);
  });

  test("is what the keyboard of a phone leaves of the screen", async () => {
    const { page, bubble } = await open({
      ...PHONE,
      script: () => {
        const viewport = Object.assign(new EventTarget(), { height: 844, offsetTop: 0, scale: 1 });
        Object.defineProperty(window, "visualViewport", { get: () => viewport });
        window.resize = (now) => {
          Object.assign(viewport, now);
          for (const kind of ["resize", "scroll"]) viewport.dispatchEvent(new Event(kind));
        };
      },
    });
    const panel = () => bubble.dialog.boundingBox().then(({ y, height }) => [Math.round(y), Math.round(height)]);
    assert.deepEqual(await panel(), [0, 844]);
    await page.evaluate(() => resize({ height: 400 }));
    assert.deepEqual(await panel(), [0, 400]);
    const [send, input] = [await bubble.send.boundingBox(), await bubble.input.boundingBox()];
    assert.ok(send.y + send.height <= 400 && input.y + input.height <= 400);
    await picture(page, "keyboard");
    // Browsers push a page up whose field the keyboard would hide.
    await page.evaluate(() => resize({ offsetTop: 60 }));
    assert.deepEqual(await panel(), [60, 400]);
    // Two fingers may always zoom in. A visitor who has zoomed in wants the panel to be larger than the screen, and to move about in it.
    const allowed = () => bubble.log.evaluate((log) => getComputedStyle(log).touchAction);
    assert.equal(await allowed(), "pan-y pinch-zoom");
    await page.evaluate(() => resize({ height: 200, scale: 2 }));
    assert.deepEqual(await panel(), [60, 400]);
    assert.equal(await allowed(), "auto");
    await page.evaluate(() => resize({ height: 844, offsetTop: 0, scale: 1 }));
    assert.equal(await allowed(), "pan-y pinch-zoom");
    assert.deepEqual(await panel(), [0, 844]);
  });
});
