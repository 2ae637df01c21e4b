// `cargo xtask bench widget`: the cost of the bubble for a page in a real browser on a processor made four times
// slower, compared with the same page without a bubble and with Deep Chat from npm. Prints tables.
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { once } from "node:events";
import { createRequire } from "node:module";
import { brotliCompressSync, constants } from "node:zlib";
import { startDev } from "../support/dev.mjs";
import { launch } from "../support/browser.mjs";
import { seedHistory, said } from "../support/history.mjs";
import { GENEROUS, Owner } from "../support/owner.mjs";
import { pause } from "../support/wait.mjs";
import { ask, startUpstream, words } from "./upstream.mjs";

const THROTTLE = 4;
const ROUNDS = Number(process.env.BULLE_ROUNDS ?? 5);
const TOKENS = 1_000;
/** 500 tokens a second. */
const PACE_MS = 2;
const PAST = 2_000;
const SCROLL_MS = 4_000;

/** Deep Chat as its documentation embeds it: the bundle of the npm package. */
function deepChat() {
  const require = createRequire(import.meta.url);
  try {
    const script = require.resolve("deep-chat/dist/deepChat.bundle.js");
    const { version } = JSON.parse(readFileSync(script.replace(/dist.*/, "package.json"), "utf8"));
    return { version, script: brotliCompressSync(readFileSync(script), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }) };
  } catch {
    throw new Error("Deep Chat, which is measured beside the bubble, is not in node_modules: `npm ci` installs it, as `cargo xtask setup` does");
  }
}

const text = "<p>A page has words of its own, which people came for. They fill some lines, and the bubble must leave them where they are.</p>";
const page = (more) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title></head><body><h1>Page</h1>${text.repeat(30)}${more}</body></html>`;

/** Deep Chat has no launcher: this is a minimal one. The handler reads the model's own stream. */
const deepChatPage = (load) => page(`
<style>#launch{position:fixed;right:20px;bottom:20px;width:60px;height:60px}#place{position:fixed;right:20px;bottom:100px}</style>
<button id="launch" aria-label="Open the chat">Chat</button><div id="place" hidden></div>
<script type="module">
const answer = async (body, signals) => {
  const response = await fetch("/upstream", { method: "POST", body: JSON.stringify({ messages: [{ role: "user", content: body.messages.at(-1).text }] }) });
  signals.onOpen();
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\\n");
    rest = lines.pop();
    for (const line of lines) {
      const text = line.startsWith("data: {") && JSON.parse(line.slice(6)).choices[0]?.delta.content;
      if (text) signals.onResponse({ text });
    }
  }
  signals.onClose();
};
const past = (n) =>
  n % 2 ? "message " + n + " of the past. **Yes**, with words that fill more than one line of the panel, as answers do.\\n\\n- one\\n- two\\n\\n\`\`\`js\\nconst answer = 42;\\n\`\`\`" : "message " + n + " of the past";
let loaded;
const load = () => (loaded ??= import("/deep-chat.js").then(() => {
  const chat = document.createElement("deep-chat");
  Object.assign(chat.style, { width: "380px", height: "560px" });
  chat.connect = { stream: true, handler: answer };
  if (location.search === "?past") chat.history = Array.from({ length: ${PAST} }, (_, n) => ({ role: n % 2 ? "ai" : "user", text: past(n) }));
  document.querySelector("#place").append(chat);
}));
${load === "at once" ? "load();" : ""}
document.querySelector("#launch").onclick = () => { load(); document.querySelector("#place").hidden = false; };
</script>`);

async function serve(upstream, library, key) {
  const site = { edge: "" };
  const server = createServer((request, response) => {
    const path = request.url.replace(/\?.*/, "");
    const html = { "/without": () => page(""), "/bulle": () => page(`<script async src="${site.edge}/s/${key()}.js"></script>`), "/deep-chat": () => deepChatPage("at once"), "/deep-chat-late": () => deepChatPage("late") }[path];
    if (html) return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html());
    if (path === "/deep-chat.js") return response.writeHead(200, { "content-type": "text/javascript", "content-encoding": "br" }).end(library.script);
    if (path !== "/upstream") return response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
    const onward = httpRequest(`${upstream.url}/chat/completions`, { method: "POST" }, (answer) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(site, { url: `http://localhost:${server.address().port}`, stop: () => server.close() });
}

/** In the page: the browser's measurements, and selectors of the two chats. */
function instrument() {
  const noted = (window.noted = { shift: 0, long: [] });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (noted.shift += entry.value))).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => noted.long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
  const inBulle = (selector) => document.querySelector("[data-bulle]")?.shadowRoot.querySelector(selector);
  const inDeepChat = (selector) => document.querySelector("deep-chat")?.shadowRoot?.querySelector(selector);
  const visible = (element) => element?.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 0;
  const { chat } = (window.chats = {
    chat: () => (document.querySelector("#place")
      ? { launcher: document.querySelector("#launch"), shell: inDeepChat("#chat-view"), input: inDeepChat("#text-input"), list: inDeepChat("#messages") }
      : { launcher: inBulle(".launcher"), shell: inBulle(".panel"), input: inBulle("textarea"), list: inBulle(".log") }),
  });
  /** Milliseconds from the next click until the shell is painted, and until the composer accepts text. */
  window.opening = () =>
    new Promise((resolve) => {
      addEventListener("click", ({ timeStamp }) => {
        const times = {};
        const look = () => {
          const { shell, input } = chat();
          const now = () => new Promise((done) => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => done(performance.now() - timeStamp);
            port2.postMessage(0);
          });
          if (!times.shell && visible(shell)) times.shell = now();
          if (visible(input) && input.getRootNode().elementFromPoint(input.getBoundingClientRect().x + 20, input.getBoundingClientRect().y + 8)?.closest("textarea,#text-input")) {
            return void Promise.all([times.shell, now()]).then(([shell, usable]) => resolve({ shell, usable }));
          }
          requestAnimationFrame(look);
        };
        look();
      }, { capture: true, once: true });
    });
  /** Records the lengths of all frames until the returned function is called. */
  window.frames = () => {
    const [all, from] = [[], performance.now()];
    let [running, last] = [true, from];
    const next = (now) => {
      all.push(now - last);
      last = now;
      if (running) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    return () => {
      running = false;
      return all.slice(1);
    };
  };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const quantile = (list, part) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];

/** A fresh visitor on a page, with the browser's own measures. */
async function visit(browser, url, stored) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const tab = await context.newPage();
  const client = await context.newCDPSession(tab);
  const wire = { bytes: 0, requests: 0 };
  await client.send("Network.enable");
  // Over HTTP, browsers ask for gzip alone.
  await client.send("Network.setExtraHTTPHeaders", { headers: { "Accept-Encoding": "br" } });
  await client.send("Performance.enable");
  client.on("Network.loadingFinished", ({ encodedDataLength }) => {
    wire.bytes += encodedDataLength;
    wire.requests += 1;
  });
  await client.send("Emulation.setCPUThrottlingRate", { rate: THROTTLE });
  await tab.addInitScript(instrument);
  if (stored) await tab.addInitScript(({ key, text }) => localStorage.setItem(key, text), stored);
  const busy = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  };
  await tab.goto(url, { waitUntil: "load" });
  const launcher = () => tab.evaluate(() => {
    const box = window.chats.chat().launcher?.getBoundingClientRect();
    return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  });
  const open = async (hover) => {
    let place;
    for (let tries = 0; !(place = await launcher()); tries += 1) {
      if (tries > 100) throw new Error(`${url} shows no launcher`);
      await pause(50);
    }
    if (hover) {
      await tab.mouse.move(place.x, place.y);
      await pause(2_500);
    }
    const times = tab.evaluate(() => window.opening());
    await tab.evaluate(() => 0);
    await tab.mouse.click(place.x, place.y);
    return times;
  };
  return { tab, wire, busy, open, close: () => context.close() };
}

/** Asks in the open chat and waits for the last word; gives the cost of each token. */
async function streamed({ tab, busy }) {
  await tab.evaluate(() => {
    window.stop = window.frames();
    window.noted.long.length = 0;
    window.chats.chat().input.focus();
  });
  await tab.keyboard.insertText(ask(TOKENS, PACE_MS));
  const [before, started] = [await busy(), performance.now()];
  await tab.keyboard.press("Enter");
  const last = words(TOKENS).at(-1).trim();
  await tab.waitForFunction((last) => window.chats.chat().list.textContent.includes(last), last, { timeout: 120_000, polling: 200 });
  const [spent, took] = [(await busy()) - before, performance.now() - started];
  const { frames, long } = await tab.evaluate(() => ({ frames: window.stop(), long: window.noted.long }));
  return { token: spent / TOKENS, p50: quantile(frames, 0.5), p95: quantile(frames, 0.95), long: long.length, took };
}

async function scrolled({ tab, busy }) {
  const box = await tab.evaluate(() => window.chats.chat().list.getBoundingClientRect().toJSON());
  await tab.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await tab.evaluate(() => {
    window.noted.long.length = 0;
    window.stop = window.frames();
  });
  const before = await busy();
  for (const end = performance.now() + SCROLL_MS; performance.now() < end; await pause(30)) await tab.mouse.wheel(0, -250);
  const spent = (await busy()) - before;
  const { frames, long } = await tab.evaluate(() => ({ frames: window.stop(), long: window.noted.long }));
  return { p50: quantile(frames, 0.5), p95: quantile(frames, 0.95), long: long.length, busy: spent / (SCROLL_MS / 1000) };
}

const progress = (what) => console.error(`[${(performance.now() / 1000).toFixed(0).padStart(4)} s] ${what}`);

/** Medians by measure and contestant, with ratios: to the first contestant for the page's costs, to Deep Chat for the rest. */
function table(title, contestants, measures, results, base) {
  console.log(`\n${title}\n`);
  const cells = (first, rest) => console.log(first.padEnd(46) + rest.map((cell) => cell.padStart(24)).join(""));
  cells("", contestants);
  for (const [name, unit, digits, pick] of measures) {
    const values = contestants.map((contestant) => results[contestant]?.length && median(results[contestant].map(pick)));
    const against = values[contestants.indexOf(base)];
    cells(`${name}, ${unit}`, values.map((value, at) => {
      if (typeof value !== "number" || Number.isNaN(value)) return "-";
      const ratio = contestants[at] === base || !against ? "" : ` (${(value / against).toFixed(2)}x)`;
      return value.toFixed(digits) + ratio;
    }));
  }
}

const WITHOUT = "without";
const BULLE = "Bulle";
const TAG = "Deep Chat";
const LATE = "Deep Chat, on click";
const paths = { [WITHOUT]: "/without", [BULLE]: "/bulle", [TAG]: "/deep-chat", [LATE]: "/deep-chat-late" };

const library = deepChat();
const upstream = await startUpstream();
let edge, site, browser, owner;
try {
  progress("starting");
  site = await serve(upstream, library, () => owner.site.key);
  edge = await startDev({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-bench", OPENAI_MODEL: "mock-1" } });
  site.edge = edge.url;
  const limits = { ...GENEROUS, tiers: { free: { per_minute: 1000, per_day: 10_000 } } };
  owner = await Owner.with(edge, "bench", { limits, locale: "en" }, [site.url]);
  browser = await launch();
  console.log(`Chromium ${browser.version()}, processor ${THROTTLE} times slower, Deep Chat ${library.version}, medians of ${ROUNDS} rounds`);

  const [before, cold, warm, stream] = [{}, {}, {}, {}];
  const add = (results, name, result) => (results[name] ??= []).push(result);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of Object.keys(paths)) {
      progress(`round ${round + 1} of ${ROUNDS}: ${name}`);
      const visitor = await visit(browser, site.url + paths[name]);
      await pause(2_500);
      const noted = await visitor.tab.evaluate(() => window.noted);
      const intent = { ...visitor.wire };
      add(before, name, { ...intent, ...noted, busy: await visitor.busy(), blocked: noted.long.reduce((sum, ms) => sum + ms, 0) });
      if (name !== WITHOUT) {
        const times = await visitor.open(false);
        add(cold, name, { ...times, bytes: visitor.wire.bytes, requests: visitor.wire.requests });
        add(stream, name, await streamed(visitor));
      }
      await visitor.close();
      if (name === WITHOUT) continue;
      const second = await visit(browser, site.url + paths[name]);
      await pause(1_500);
      add(warm, name, await second.open(true));
      await second.close();
    }
  }
  const all = Object.keys(paths);
  const chats = all.slice(1);
  table("Before any intent", all, [
    ["over the wire, with the page", "bytes", 0, (r) => r.bytes],
    ["requests, with the page", "number", 0, (r) => r.requests],
    ["main thread until 2.5 s after load", "ms", 0, (r) => r.busy],
    ["layout shift (CLS)", "score", 4, (r) => r.shift],
    ["long tasks", "number", 0, (r) => r.long.length],
    ["in long tasks", "ms", 0, (r) => r.blocked],
  ], before, WITHOUT);
  table("From the click", chats, [
    ["over the wire until usable, with the page", "bytes", 0, (r) => r.bytes],
    ["requests until usable, with the page", "number", 0, (r) => r.requests],
    ["shell painted, cold", "ms", 0, (r) => r.shell],
    ["usable composer, cold", "ms", 0, (r) => r.usable],
  ], cold, TAG);
  table("From the click, after 2.5 s over the launcher", chats, [
    ["shell painted", "ms", 0, (r) => r.shell],
    ["usable composer", "ms", 0, (r) => r.usable],
  ], warm, TAG);
  const streaming = [
    ["main thread for a token", "ms", 3, (r) => r.token],
    ["frames p50", "ms", 1, (r) => r.p50],
    ["frames p95", "ms", 1, (r) => r.p95],
    ["long tasks", "number", 0, (r) => r.long],
    ["until the last word is there", "ms", 0, (r) => r.took],
  ];
  table(`An answer of ${TOKENS} tokens, 500 a second`, [BULLE, TAG], streaming, stream, TAG);

  const [opened, scrolling, long] = [{}, {}, {}];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of [BULLE, TAG]) {
      progress(`round ${round + 1} of ${ROUNDS}, in ${PAST} messages: ${name}`);
      const stored = name === BULLE ? await seedHistory(edge, PAST, { site: owner.site.key, locale: "en", origin: site.url }) : undefined;
      const visitor = await visit(browser, `${site.url}${paths[name]}?past`, stored);
      await pause(1_500);
      const started = performance.now();
      await visitor.open(false);
      await visitor.tab.waitForFunction((last) => window.chats.chat().list.textContent.includes(last), said(PAST - 1), { timeout: 120_000 });
      add(opened, name, { ms: performance.now() - started, busy: await visitor.busy() });
      await pause(1_000);
      add(scrolling, name, await scrolled(visitor));
      add(long, name, await streamed(visitor));
      await visitor.close();
    }
  }
  table(`In a conversation of ${PAST} messages: opened`, [BULLE, TAG], [
    ["newest message there after the click", "ms", 0, (r) => r.ms],
    ["main thread until then, with the page", "ms", 0, (r) => r.busy],
  ], opened, TAG);
  table(`… scrolled up for ${SCROLL_MS / 1000} s`, [BULLE, TAG], [
    ["frames p50", "ms", 1, (r) => r.p50],
    ["frames p95", "ms", 1, (r) => r.p95],
    ["long tasks", "number", 0, (r) => r.long],
    ["main thread in a second", "ms", 0, (r) => r.busy],
  ], scrolling, TAG);
  table(`… an answer of ${TOKENS} tokens, 500 a second`, [BULLE, TAG], streaming, long, TAG);
} finally {
  await browser?.close();
  site?.stop();
  await Promise.all([edge?.stop(), upstream.stop()]);
}
