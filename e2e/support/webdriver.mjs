// WebKitGTK over WebDriver (classic), with the verbs of playwright that `Bubble` and the scenarios of engines.test.mjs use:
// contexts, pages, locators by role, text and CSS, keys, frames, files, pictures. Waits are for conditions.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./listen.mjs";
import { until } from "./wait.mjs";

const KEYS = { Enter: "\uE007", Tab: "\uE004", Escape: "\uE00C", Shift: "\uE008", Control: "\uE009", ArrowUp: "\uE013", ArrowDown: "\uE015" };

/** The name of an element in WebDriver's JSON. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** What WebDriver answers while an element is not there yet or was drawn again: it is tried again. */
const PASSING = /stale element|not interactable|no such element|no such frame|no such window|detached/;

/**
 * Runs in the page: the elements that the steps lead to, through open shadow roots. A step is `{role, name}`, `{text}`, `{css}` or
 * `{nth}`; a name or a text is a part of it in any case of letters, with `exact` the whole, or an expression `[source, flags]`.
 */
function find(steps) {
  const ROLES = {
    button: "button,summary,[role=button]",
    link: "a[href],[role=link]",
    textbox: "textarea,input:not([type]),input[type=text],[role=textbox]",
    list: "ul,ol,[role=list]",
    listitem: "li,[role=listitem]",
    heading: "h1,h2,h3,h4,h5,h6,[role=heading]",
    region: "section[aria-label],section[aria-labelledby],[role=region]",
    img: "img,[role=img]",
  };
  const tidy = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const inside = (root) => [...root.children].flatMap((child) => [child, ...(child.shadowRoot ? inside(child.shadowRoot) : []), ...inside(child)]);
  const said = (text, { name, exact }) => {
    if (name === undefined) return true;
    if (Array.isArray(name)) return new RegExp(...name).test(text);
    return exact ? text === name : text.toLowerCase().includes(name.toLowerCase());
  };
  const nameOf = (element) => {
    const labels = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
    const words = labels.map((id) => element.getRootNode().getElementById(id)?.textContent).join(" ");
    return tidy(element.getAttribute("aria-label") || words || element.labels?.[0]?.textContent || element.alt || element.textContent || element.title);
  };
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true });
  let found = [document.documentElement];
  for (const step of steps) {
    if (step.nth !== undefined) found = [found.at(step.nth)].filter(Boolean);
    else {
      const all = [...new Set(found.flatMap((root) => [...(root.shadowRoot ? inside(root.shadowRoot) : []), ...inside(root)]))];
      if (step.css) {
        // `[data-bulle] .panel` is in the shadow root of the first.
        const [last, ...outer] = step.css.split(" ").reverse();
        const under = (element) => outer.every((selector) => {
          for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) if (at !== element && at.matches(selector)) return true;
          return false;
        });
        found = all.filter((element) => element.matches(last) && under(element));
      } else if (step.role) {
        const css = ROLES[step.role] ?? `[role=${step.role}]`;
        found = all.filter((element) => element.matches(css) && (element.getAttribute("role") ?? step.role) === step.role && isSeen(element) && said(nameOf(element), step));
      } else {
        const says = (element) => !["SCRIPT", "STYLE", "HEAD", "TITLE"].includes(element.tagName) && said(tidy(element.textContent), { ...step, name: step.text });
        found = all.filter((element) => says(element) && ![...element.children].some(says));
      }
    }
  }
  return found;
}

/** Runs in the page: whether the mouse reaches the middle of the element, which does not move. */
async function isInFront([element]) {
  if (!element) return false;
  element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  const place = () => element.getBoundingClientRect();
  const { x, y, width, height } = place();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const now = place();
  if (now.x !== x || now.y !== y || now.width !== width || now.height !== height) return false;
  let root = document;
  for (let found; ; root = found.shadowRoot) {
    found = root.elementFromPoint(x + width / 2, y + height / 2);
    if (!found || element === found || element.contains(found)) return !!found;
    if (!found.shadowRoot || found.shadowRoot === root) return false;
  }
}

const words = (text) => (text instanceof RegExp ? [text.source, text.flags] : text);

class Locator {
  constructor(page, frames, steps) {
    Object.assign(this, { page, frames, steps });
  }

  #then(step) {
    return new Locator(this.page, this.frames, [...this.steps, step]);
  }

  getByRole = (role, { name, exact } = {}) => this.#then({ role, name: words(name), exact });
  getByText = (text, { exact } = {}) => this.#then({ text: words(text), exact });
  locator = (css) => this.#then({ css });
  nth = (nth) => this.#then({ nth });
  first = () => this.nth(0);
  last = () => this.nth(-1);
  frameLocator = (css) => new Locator(this.page, [...this.frames, this.#then({ css })], []);

  /** Runs `use(elements, arg)` in the page, which may return a promise. */
  all(use, arg) {
    return this.page.run(this.frames, `return (${use})((${find})(arguments[0]), arguments[1])`, this.steps, arg);
  }

  /** Runs `use(element, arg)` in the page with the first element, once there is one. */
  async evaluate(use, arg) {
    await this.waitFor({ state: "attached" });
    return this.page.run(this.frames, `return (${use})((${find})(arguments[0])[0], arguments[1])`, this.steps, arg);
  }

  count = () => this.all((found) => found.length);
  innerText = () => this.evaluate((element) => element.innerText);
  inputValue = () => this.evaluate((element) => element.value);
  getAttribute = (name) => this.evaluate((element, name) => element.getAttribute(name), name);
  boundingBox = () => this.evaluate((element) => element.getBoundingClientRect().toJSON());
  focus = () => this.evaluate((element) => element.focus());
  isVisible = () => this.all((found) => found.length > 0 && found[0].checkVisibility({ visibilityProperty: true }));

  /** As in playwright: `visible`, `hidden` (or gone), `attached` or `detached`. */
  waitFor({ state = "visible" } = {}) {
    const wanted = { visible: () => this.isVisible(), hidden: async () => !(await this.isVisible()), attached: this.count, detached: async () => !(await this.count()) };
    return until(() => `${JSON.stringify(this.steps)} is ${state}`, () => this.page.passing(wanted[state]));
  }

  /** A command of WebDriver with the element, tried again while it cannot be reached. */
  async #command(name, body) {
    let why;
    const tried = async () => {
      try {
        const element = await this.page.element(this.frames, this.steps);
        if (!element) return false;
        await this.page.send("POST", `/element/${element}/${name}`, body);
        return true;
      } catch (error) {
        if (!PASSING.test(error.message)) throw error;
        why = error.message;
        return false;
      }
    };
    await until(() => `${JSON.stringify(this.steps)} takes ${name}: ${why ?? "there is none"}`, tried);
  }

  /** With the mouse: the driver calls much covered that is in a shadow root, and all that is in a frame of another origin. */
  async click() {
    await this.waitFor();
    await until(() => `${JSON.stringify(this.steps)} stays where it is, and is not covered`, () => this.page.passing(() => this.all(isInFront)));
    const buttons = ["pointerDown", "pointerUp"].map((type) => ({ type, button: 0 }));
    await this.#point(...buttons);
  }

  hover = () => this.#point();

  /** Moves the mouse to the middle of the element, in whatever frame, and does what follows. */
  async #point(...actions) {
    const { width, height } = await this.boundingBox();
    let [x, y] = [width / 2, height / 2];
    for (const locator of [...this.frames, this]) {
      const box = await locator.boundingBox();
      [x, y] = [x + box.x, y + box.y];
    }
    const move = { type: "pointerMove", duration: 0, x: Math.round(x), y: Math.round(y) };
    await this.page.act("pointer", move, ...actions);
  }

  /** Gives it the focus. In a frame of another origin only a click of the visitor does. */
  #take() {
    return this.frames.length > 0 ? this.click() : this.focus();
  }

  async fill(text) {
    await this.waitFor();
    await this.#take();
    await this.evaluate((field, text) => (field.select(), document.execCommand("insertText", false, text)), text);
  }

  async press(key) {
    await this.#take();
    await this.page.keyboard.press(key);
  }

  /** Files are paths. */
  setInputFiles = (...paths) => this.#command("value", { text: paths.flat().join("\n") });
}

class Page extends Locator {
  #driver;

  constructor(driver, handle) {
    super(undefined, [], []);
    this.page = this;
    this.handle = handle;
    this.#driver = driver;
    this.keyboard = {
      press: (keys) => {
        const names = keys.split("+").map((key) => KEYS[key] ?? key);
        const down = names.map((value) => ({ type: "keyDown", value }));
        const up = names.toReversed().map((value) => ({ type: "keyUp", value }));
        return this.send("POST", "/actions", { actions: [{ type: "key", id: "keys", actions: [...down, ...up] }] });
      },
      type: async (text) => {
        for (const letter of text) await this.keyboard.press(letter);
      },
    };
    let at = { x: 0, y: 0 };
    this.mouse = {
      move: (x, y) => {
        at = { x: Math.round(x), y: Math.round(y) };
        return this.act("pointer", { type: "pointerMove", duration: 0, ...at });
      },
      wheel: (deltaX, deltaY) => this.act("wheel", { type: "scroll", duration: 0, ...at, deltaX, deltaY }),
    };
  }

  /** Has an input device do this in the whole page. */
  async act(type, ...actions) {
    await this.send("POST", "/frame", { id: null });
    return this.send("POST", "/actions", { actions: [{ type, id: type, actions }] });
  }

  /** Sends a command for this page, in the frame where the last one was. */
  async send(method, path, body) {
    if (this.#driver.at !== this.handle) await this.#driver.send("POST", "/window", { handle: this.handle });
    this.#driver.at = this.handle;
    return this.#driver.send(method, path, body);
  }

  /** The id of the first element that the steps lead to, in this frame. */
  async element(frames, steps) {
    await this.#enter(frames);
    const found = await this.send("POST", "/execute/sync", { script: `return (${find})(arguments[0])[0] ?? null`, args: [steps] });
    return found?.[ELEMENT];
  }

  async #enter(frames) {
    await this.send("POST", "/frame", { id: null });
    for (const { steps } of frames) {
      const script = `return (${find})(arguments[0])[0] ?? null`;
      const id = await this.send("POST", "/execute/sync", { script, args: [steps] });
      if (!id) throw new Error("no such frame");
      await this.send("POST", "/frame", { id });
    }
  }

  /** Runs a function's body in a frame, and returns what JSON can hold of its result. */
  async run(frames, script, ...args) {
    await this.#enter(frames);
    // Not everything that a function returns can be told: a list of animations is one of empty objects.
    const told = `const json = (value) => JSON.stringify(value) ?? null; const result = (function () { ${script} }).apply(null, arguments); return result?.then ? result.then(json) : json(result);`;
    const text = await this.send("POST", "/execute/sync", { script: told, args: args.map((arg) => arg ?? null) });
    return text === null ? undefined : JSON.parse(text);
  }

  /** What `check` gives, or false where the page was changing. */
  async passing(check) {
    try {
      return await check();
    } catch (error) {
      if (!PASSING.test(error.message)) throw error;
      return false;
    }
  }

  evaluate = (use, arg) => this.run([], `return (${use})(arguments[0])`, arg);
  waitForFunction = (use, arg) => until(() => String(use), () => this.passing(() => this.evaluate(use, arg)));
  goto = (url) => this.send("POST", "/url", { url });
  reload = () => this.send("POST", "/refresh", {});
  bringToFront = () => this.send("GET", "/title");
  close = () => this.send("DELETE", "/window");

  async screenshot({ path }) {
    // What has just been laid out is painted two frames later.
    await this.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
    await writeFile(path, Buffer.from(await this.send("GET", "/screenshot"), "base64"));
  }
}

/** Starts a virtual screen for the windows of WebKitGTK, which has no mode without one. */
export async function startScreen() {
  const screen = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "ignore"] });
  const [number] = await once(createInterface(screen.stdout), "line");
  return { display: `:${number.trim()}`, stop: () => screen.kill() };
}

/**
 * A browser with nothing stored, of a process of its own: WebDriver knows no contexts. `downloads` is the folder of what the
 * visitor downloads, `version` that of the engine.
 *
 * @param {{driver: string, browser: string, display: string, dark?: boolean}} options
 */
export async function openContext({ driver: program, browser: binary, display, dark = false }) {
  const home = await mkdtemp(join(tmpdir(), "bulle-webkit-"));
  const downloads = join(home, "downloads");
  await mkdir(downloads);
  await writeFile(join(home, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  const env = { ...process.env, DISPLAY: display, HOME: home, XDG_CONFIG_HOME: home, GTK_THEME: dark ? "Adwaita:dark" : "Adwaita" };
  const port = await freePort();
  const server = spawn(program, [`--port=${port}`], { env, stdio: "ignore" });
  let session = "";
  const driver = {
    /** The page that the session is at. */
    at: undefined,
    async send(method, path, body) {
      const response = await fetch(`http://127.0.0.1:${port}${session}${path}`, { method, body: body && JSON.stringify(body) });
      const { value } = await response.json();
      if (!response.ok) throw new Error(`${value.error}: ${value.message} (${method} ${path})`);
      return value;
    },
  };
  await until("WebKitWebDriver answers", () => driver.send("GET", "/status").then(({ ready }) => ready, () => false));
  const options = { binary, args: ["--automation"] };
  const { sessionId, capabilities } = await driver.send("POST", "/session", { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } } });
  session = `/session/${sessionId}`;
  let isFirst = true;
  return {
    downloads,
    version: capabilities.browserVersion,
    async newPage() {
      // A window and not a tab: a page that is not in front draws nothing.
      const handle = isFirst ? await driver.send("GET", "/window") : (await driver.send("POST", "/window/new", { type: "window" })).handle;
      isFirst = false;
      return new Page(driver, handle);
    },
    async close() {
      await driver.send("DELETE", "").catch(() => {});
      server.kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}
