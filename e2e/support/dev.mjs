// `cargo xtask dev` as a developer runs it, on free ports and a state folder of its own: for its own test and for the
// benches, which compare with another Worker in `wrangler dev`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { ADMIN_KEY, ROOT, stateFolder } from "./edge.mjs";
import { freePort } from "./listen.mjs";

/** The environment without the models and the mail of the developer's own .dev.vars. */
const NOTHING = ["GEMINI", "ANTHROPIC", "OPENAI"].flatMap((vendor) => [`${vendor}_API_KEY`, `${vendor}_BASE_URL`, `${vendor}_MODEL`]).concat("EMAIL_URL");

/** Starts it and waits until it is ready. A given `state` is kept; `port` is that of an earlier one which has ended. */
export async function startDev({ vars = {}, state, port: wanted } = {}) {
  const folder = state ?? (await stateFolder());
  const all = { ...Object.fromEntries(NOTHING.map((name) => [name, ""])), ADMIN_KEY, ...vars };
  for (;;) {
    const port = wanted ?? (await freePort());
    const args = ["dev", "--release", "--no-build", "--port", String(port), "--state", folder];
    for (const [name, value] of Object.entries(all)) args.push("--vars", `${name}=${value}`);
    const child = spawn(process.env.BULLE_XTASK, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
    const ended = once(child, "exit");
    const ready = (async () => {
      while (!log.includes("Ctrl-C stops everything.")) await once(child.stdout, "data");
      return true;
    })();
    // Another program may have taken one of the two ports meanwhile.
    if (!(await Promise.race([ready, ended.then(() => false)]))) {
      assert.match(log, /port \d+ is taken by another program/, log);
      continue;
    }
    return {
      url: `http://localhost:${port}`,
      site: `http://localhost:${port + 1}`,
      port,
      state: folder,
      adminKey: ADMIN_KEY,
      log: () => log,
      /** Ends it as Ctrl-C would; deletes the state unless the caller owns it. */
      async stop() {
        if (child.exitCode === null) child.kill("SIGINT");
        const [code] = await ended;
        assert.equal(code, 0, log);
        if (!state) await rm(folder, { recursive: true, force: true });
      },
    };
  }
}
