// Starts the product as `cargo xtask dev` does: real workerd, a fresh state folder, free ports.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { readdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The operator's key of every edge that is started here and not told otherwise. */
const ADMIN_KEY = "operator-".padEnd(48, "0123456789");

/** A new folder for state, in memory where there is room: D1 and the objects wait for every write. */
export function stateFolder() {
  let folder = tmpdir();
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > 1 << 30) folder = "/dev/shm";
  } catch {
    // Not Linux.
  }
  return mkdtemp(join(folder, "bulle-"));
}

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

/** The Worker's configuration with a binding to Workers AI: wrangler knows none that works without an account. */
async function withWorkersAi(folder) {
  const worker = join(ROOT, "edge/worker");
  const path = (...parts) => JSON.stringify(join(...parts));
  const toml = (await readFile(join(worker, "wrangler.toml"), "utf8"))
    .replace('"build/index.js"', path(ROOT, "e2e/support/workers-ai.mjs"))
    .replace('"../../dist/assets"', path(ROOT, "dist/assets"))
    .replace('"migrations"', path(worker, "migrations"))
    .replace(/^\[build\][\s\S]*?(?=^\[)/m, "");
  const file = join(folder, "wrangler.toml");
  await writeFile(file, toml);
  return file;
}

/** Ends a process and all that it has started without asking, the eldest first: none can start another. */
function kill(pid) {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const member of family) family.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
  for (const member of family) {
    try {
      process.kill(member, "SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (error.code !== "ESRCH") throw error;
    }
  }
}

/**
 * @param {{vars?: Record<string, string>, state?: string, port?: number, ai?: string}} options `vars` are set as the
 *   owner would in .dev.vars; `state` is kept when given; `ai` is where a binding to Workers AI answers.
 */
export async function startEdge({ vars = {}, state, port, ai } = {}) {
  const folder = state ?? (await stateFolder());
  const at = port ?? (await freePorts());
  const args = ["xtask", "dev", "--release", "--no-build", "--port", String(at), "--state", folder];
  // The developer's own .dev.vars must not change what is tested.
  const all = { GEMINI_API_KEY: "", GEMINI_BASE_URL: "", GEMINI_MODEL: "", ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "", ANTHROPIC_MODEL: "", OPENAI_API_KEY: "", OPENAI_BASE_URL: "", OPENAI_MODEL: "", EMAIL_URL: "", ADMIN_KEY, ...vars };
  if (ai) {
    args.push("--config", await withWorkersAi(folder));
    // It has no .dev.vars beside it.
    Object.assign(all, { AI_URL: ai, SESSION_SECRET: "session-".padEnd(48, "0123456789") });
  }
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
    /** Ends it as a power failure would; the state stays. */
    async kill() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      kill(child.pid);
      await ended;
    },
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
