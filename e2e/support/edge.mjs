// Starts an edge: real workerd with its database, objects and files, in a state folder of its own, on free ports.
import { mkdtemp, rm } from "node:fs/promises";
import { existsSync, readFileSync, readdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The operator's key of every edge without another one in its variables. */
export const ADMIN_KEY = "operator-".padEnd(48, "0123456789");
const SESSION_SECRET = "session-".padEnd(48, "0123456789");
const PASSWORD_PEPPER = "pepper-".padEnd(48, "0123456789");

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

/** Sends a command to the run's server of edges, see edges.mjs. */
async function edges(command, body) {
  const response = await fetch(`${process.env.BULLE_EDGES}/${command}`, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`the edge did not ${command}: ${text}`);
  return JSON.parse(text);
}

/**
 * Starts an edge on ports that are free, with the examples in its database.
 *
 * @param {{vars?: Record<string, string>, state?: string, port?: number, entry?: string}} options `vars` are set as the
 *   owner would in .dev.vars; `state` is kept when given; `port` is that of an edge which has ended; `entry` names a
 *   module of e2e/support around the Worker.
 */
export async function startEdge({ vars = {}, state, port, entry } = {}) {
  if (!process.env.BULLE_EDGES) throw new Error("run the test with `cargo xtask test e2e NAME`, which starts what it needs");
  const folder = state ?? (await stateFolder());
  // Every request is logged, so that tests see what would be.
  const all = { ADMIN_KEY, SESSION_SECRET, PASSWORD_PEPPER, LOG_EVERY: "1", ...vars };
  const { id, log, ...edge } = await edges("start", { vars: all, state: folder, port, entry, file: process.env.BULLE_FILE });
  const end = () => edges("stop", { id });
  return {
    ...edge,
    state: folder,
    adminKey: all.ADMIN_KEY,
    log: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
    /** Suspends the edge's process for so many milliseconds. */
    halt: (ms) => edges("halt", { id, ms }),
    /** Kills the edge as a power failure would; the state stays. */
    kill: end,
    /** Ends the edge; deletes the state unless the caller owns it. */
    async stop() {
      await end();
      if (!state) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The local D1 of a running edge, opened beside it: both see each other's writes. */
export function openDatabase(edge) {
  const folder = `${edge.state}/v3/d1/miniflare-D1DatabaseObject`;
  const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const database = new DatabaseSync(`${folder}/${file}`);
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}
