// Starts the product as `cargo xtask dev` does: real workerd, a fresh state folder, free ports.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The operator's key of every edge that is started here and not told otherwise. */
const ADMIN_KEY = "operator-".padEnd(48, "0123456789");

/** Two neighbouring free ports: the edge and the example sites. */
async function freePorts() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * @param {{vars?: Record<string, string>, state?: string, port?: number}} options `vars` are set as the owner would
 *   in .dev.vars; `state` is kept when given.
 */
export async function startEdge({ vars = {}, state, port } = {}) {
  const folder = state ?? (await mkdtemp(join(tmpdir(), "bulle-")));
  const at = port ?? (await freePorts());
  const args = ["xtask", "dev", "--no-build", "--port", String(at), "--state", folder];
  // The developer's own .dev.vars must not change what is tested.
  const all = { GEMINI_API_KEY: "", GEMINI_BASE_URL: "", GEMINI_MODEL: "", ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "", ANTHROPIC_MODEL: "", OPENAI_API_KEY: "", OPENAI_BASE_URL: "", OPENAI_MODEL: "", EMAIL_URL: "", ADMIN_KEY, ...vars };
  for (const [name, value] of Object.entries(all)) args.push("--vars", `${name}=${value}`);
  const child = spawn("cargo", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (data) => (log += data));
  child.stderr.on("data", (data) => (log += data));
  await new Promise((resolve, reject) => {
    const failed = (why) => reject(new Error(`the edge did not start (${why}):\n${log}`));
    const timer = setTimeout(() => failed("180 s"), 180_000);
    child.once("exit", (code) => failed(`exit ${code}`));
    child.stdout.on("data", () => {
      if (!log.includes("\nReady.")) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    url: `http://localhost:${at}`,
    site: `http://localhost:${at + 1}`,
    port: at,
    state: folder,
    adminKey: all.ADMIN_KEY,
    log: () => log,
    /** Ends it as Ctrl-C would; the state goes too unless the caller owns it. */
    async stop({ signal = "SIGINT" } = {}) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null) {
        child.kill(signal);
        await ended;
      }
      if (!state) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The local D1 of a running edge, beside it: what the edge does shows here, and the other way round. */
export function openDatabase(edge) {
  const folder = `${edge.state}/v3/d1/miniflare-D1DatabaseObject`;
  const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const database = new DatabaseSync(`${folder}/${file}`);
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}
