// Host pages that the tests write around the bubble, on an origin of their own; and a visitor's actions on them.
import { Bubble, watch } from "./browser.mjs";
import { browser, edge, pages, site } from "./start.mjs";

export const QUESTION = "Do you deliver?";
export const ANSWER = "cargo bike";

export const tag = (more = "async") => `<script ${more} src="${edge.url}/s/plain-demo.js"></script>`;
export const html = (body) => `<!doctype html><html lang="en"><title>Host</title><body><main><h1>Host</h1>${body}</main>`;

/** Opens a page, and records violations of its policies and uncaught errors. */
export async function open(url, { script, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const seen = watch(page);
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => reports.push(`${event.effectiveDirective} ${event.blockedURI}`));
    window.uncaught = [];
    addEventListener("error", (event) => uncaught.push(event.message));
    addEventListener("unhandledrejection", (event) => uncaught.push(String(event.reason)));
  });
  if (script) await page.addInitScript(script);
  await page.goto(url);
  const bubble = new Bubble(page, "en", page.locator("[data-bulle]"));
  /** In the frame the panel is a region of the page. */
  const frame = page.frameLocator("[data-bulle] iframe");
  return { page, context, seen, bubble, frame, reports: () => page.evaluate(() => reports), uncaught: () => page.evaluate(() => uncaught) };
}

/** Opens a page with this body. */
export async function host(body, { headers, path = "/", ...options } = {}) {
  pages[path] = { html: html(body), headers };
  return open(site.url + path, options);
}

/** Holds matching requests until the function that it returns is called. */
export async function hold(page, url) {
  const { promise, resolve } = Promise.withResolvers();
  await page.route(url, async (route) => {
    await promise;
    await route.continue().catch(() => {});
  });
  return resolve;
}

export async function talk({ bubble }) {
  await bubble.open();
  await bubble.ask(QUESTION);
  await bubble.log.getByText(ANSWER).first().waitFor();
}

/** The same in a frame or a region of the page, which is always open. */
export async function talkIn(frame) {
  await frame.getByRole("textbox").fill(QUESTION);
  await frame.getByRole("textbox").press("Enter");
  await frame.getByRole("log").getByText(ANSWER).first().waitFor();
}

/** Calls a method of the bubble as pages do. */
export const call = (page, ...call) => page.evaluate((call) => (window.Bulle ||= []).push(call), call);
