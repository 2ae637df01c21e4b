// A visitor of the example site `plain`: the owner has enabled the tested features, and calls to the edge fail on
// demand.
import { readFileSync } from "node:fs";
import { Bubble, violations, watch } from "./browser.mjs";
import { ROOT } from "./edge.mjs";
import { Owner } from "./owner.mjs";
import { browser, edge } from "./start.mjs";
import { answer, stream } from "./upstream.mjs";

/** The texts of the parts in English. */
export const { panel: PANEL } = JSON.parse(readFileSync(`${ROOT}/protocol/locales/en.json`, "utf8"));

/** Default values of the settings that the tests change. */
const SETTINGS = {
  features: { attachments: false, dictation: false, feedback: true, sound: false, history: true, export: true },
  form: null,
  hours: null,
  proactive: [],
  privacy_url: null,
  shortcuts: [],
  disclosure: "shown",
  texts: null,
};

/** Intercepts the calls between a page and the edge: records them, and lets them fail on demand. */
async function between(page) {
  const failures = new Map();
  const held = new Map();
  const side = {
    /** Method and path of every call, in order; the bodies of ratings and of the form, and the files. */
    calls: [],
    feedback: [],
    answers: undefined,
    files: [],
    /** Paths with such a beginning or end get this status, or no answer ("offline"), or the edge's own (undefined). */
    fail: (path, status) => (status ? failures.set(path, status) : failures.delete(path)),
    /** Holds calls of paths with this beginning until the function that it returns is called. */
    hold(path) {
      let release;
      held.set(path, new Promise((resolve) => (release = resolve)));
      return release;
    },
  };
  const CODES = { 413: "body_too_large", 422: "invalid_value", 503: "storage_unavailable" };
  const problem = (status) => ({
    status,
    headers: { "access-control-allow-origin": "*" },
    contentType: "application/problem+json",
    body: JSON.stringify({ type: "about:blank", title: "Refused", status, code: CODES[status] ?? "internal", detail: "Refused." }),
  });
  await page.route("**/v1/**", async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const method = request.method();
    side.calls.push(`${method} ${pathname}`);
    for (const [path, until] of held) if (pathname.startsWith(path)) await until;
    const failure = [...failures].find(([path]) => pathname.startsWith(path) || pathname.endsWith(path))?.[1];
    if (/\/feedback$/.test(pathname)) side.feedback.push(request.postDataJSON());
    if (failure === "offline") return route.abort();
    if (failure) return route.fulfill(problem(failure));
    if (method === "PUT") side.answers = request.postDataJSON();
    if (pathname === "/v1/attachments") {
      const type = await request.headerValue("content-type");
      side.files.push({ name: searchParams.get("name"), bytes: request.postDataBuffer()?.length, type });
    }
    return route.continue();
  });
  return side;
}

export const QUESTION = "How much is a baguette?";
export const ANSWER = "€1.30";

/** The answer of the bakery's model. */
export const baker = (response, question) => {
  const says = /deliver/.test(question) ? "With our cargo bike." : /open/.test(question) ? "From Tuesday on." : `It costs ${ANSWER}.`;
  return stream(response, answer([says]));
};

export const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  // A window of 1280 by 1024 pixels at 400 %.
  zoom: { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
  forced: { viewport: { width: 1280, height: 800 }, forcedColors: "active" },
  rtl: { viewport: { width: 1280, height: 800 }, rtl: true },
};

/**
 * Opens the page, and the panel.
 *
 * - `settings`: the owner's settings, of `SETTINGS`.
 * - `script`: runs before the page's own.
 * - `rtl`: the bubble speaks Arabic.
 */
export async function visit({ settings, rtl, script, open = true, ...options } = {}) {
  const owner = new Owner(edge, "boulangerie-nord");
  // A patch keeps the settings that it does not name.
  for (const changes of settings ? [SETTINGS, settings] : [SETTINGS]) await owner.patch("/bots/counter", { settings: changes });
  const context = await browser.newContext({ locale: rtl ? "ar" : "en-GB", ...options });
  const page = await context.newPage();
  const seen = watch(page);
  if (script) await page.addInitScript(script);
  const edgeSide = await between(page);
  await page.goto(`${edge.site}/plain/`);
  const bubble = new Bubble(page, "en");
  if (open) {
    await page.locator("[data-bulle] .launcher").click();
    await bubble.log.waitFor();
    await bubble.dialog.evaluate((panel) => Promise.all(panel.getAnimations().map((animation) => animation.finished)));
  }
  const button = (name, more) => bubble.dialog.getByRole("button", { name, ...more });
  return { page, context, seen, bubble, edgeSide, button };
}

export async function talk({ bubble }, question = QUESTION, answer = ANSWER) {
  await bubble.ask(question);
  await bubble.log.getByText(answer).first().waitFor();
  // By its attribute, because its name is Arabic on some pages.
  await bubble.dialog.locator("[data-do=send]").waitFor();
}

/** The number of modules that were fetched. */
export const modules = (seen) => seen.requests.filter((line) => /^GET \/a\/.*\.js$/.test(line)).length;

/** The accessibility violations of the bubble: the page around it has no dark colour scheme. */
export async function faults(page) {
  const lines = (await violations(page)).map((line) => line.split(/(?<=:) |, (?=div|p:)/));
  return lines.filter((parts) => parts.some((part) => part.startsWith("div["))).map((parts) => parts.join(" "));
}

export const isFocused = (locator) => locator.evaluate((node) => node.getRootNode().activeElement === node);

/** The name of the focused element of the bubble. */
export const inFocus = (page) =>
  page.evaluate(() => {
    const active = document.activeElement?.shadowRoot?.activeElement;
    return active?.getAttribute("aria-label") ?? active?.textContent ?? "";
  });
