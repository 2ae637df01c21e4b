// The edges of a run: each is a workerd of its own, started through the library that `wrangler dev` starts it with, from
// the same wrangler.toml, on a copy of one migrated and seeded state. Test files ask for them over HTTP (see edge.mjs).
import { AsyncLocalStorage } from "node:async_hooks";
import childProcess, { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { devNull } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "./edge.mjs";
import { pause } from "./wait.mjs";

const require = createRequire(import.meta.url);
// Without output about the files that it reads.
process.env.WRANGLER_LOG ??= "warn";
const { unstable_getMiniflareWorkerOptions: readWranglerToml } = require("wrangler");
// The version that wrangler uses.
const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = createRequire(require.resolve("wrangler/package.json"))("miniflare");

const WORKER = join(ROOT, "edge/worker");
/** Collects the processes that an edge starts, because the library does not give them. */
const children = new AsyncLocalStorage();
childProcess.spawn = (...args) => {
  const child = spawn(...args);
  children.getStore()?.push(child);
  return child;
};

/** The origin of the examples in the template: a placeholder for the origin that an edge's examples get. */
const PLACEHOLDER = process.env.BULLE_TEMPLATE_ORIGIN;

/** The example sites on a port of their own; `open(origin)` sets the edge's origin in their pages. */
async function startExamples() {
  const child = spawn(process.env.BULLE_XTASK, ["examples"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const [url] = await once(lines, "line");
  return { url, open: (origin) => child.stdin.write(`${origin}\n`), stop: () => child.kill() };
}

/** The Worker's options of wrangler.toml, without the developer's .dev.vars. The files are added below. */
const { modulesRules: _, ...options } = readWranglerToml(join(WORKER, "wrangler.toml"), undefined, { envFiles: [devNull] }).workerOptions;

/** The Worker with these variables; inside the module `e2e/support/ENTRY.mjs` when there is one. */
function workerOptions(vars, entry) {
  const path = (...parts) => join(ROOT, ...parts);
  const modules = [
    { type: "ESModule", path: path("edge/worker/build/index.js") },
    { type: "CompiledWasm", path: path("edge/worker/build/index_bg.wasm") },
  ];
  // The first module is the entry.
  if (entry) modules.unshift({ type: "ESModule", path: path(`e2e/support/${entry}.mjs`) });
  return { ...options, name: "bulle", modulesRoot: ROOT, modules, bindings: { ...options.bindings, ...vars } };
}

/** Puts a copy of the template into a folder without a state. */
async function seed(state, examples) {
  if (existsSync(join(state, "v3/d1"))) return;
  await cp(process.env.BULLE_TEMPLATE, state, { recursive: true });
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite")) {
    const database = new DatabaseSync(join(folder, name));
    database.prepare("UPDATE source SET url = replace(url, ?, ?)").run(PLACEHOLDER, examples);
    database.close();
  }
}

export async function startEdges() {
  /** The edges by id. */
  const edges = new Map();
  /** The example sites by the port of their edge: a restarted edge keeps them. */
  const examples = new Map();
  let ids = 0;

  const commands = {
    async start({ vars, state, port, entry, file }) {
      const id = String((ids += 1));
      const site = examples.get(port) ?? Object.assign(await startExamples(), { file });
      await seed(state, site.url);
      const log = join(state, "edge.log");
      const write = (text) => appendFileSync(log, text.endsWith("\n") ? text : `${text}\n`);
      const processes = [];
      const miniflare = children.run(processes, () => new Miniflare(convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: port ?? 0,
        log: new (class extends Log {
          log = write;
        })(LogLevel.WARN),
        logRequests: false,
        // The `cf` object of a request would be fetched from the web; the Worker does not read it.
        cf: false,
        handleStructuredLogs: ({ message }) => write(message),
        unsafeTriggerHandlers: true,
        telemetry: { enabled: false },
        resourcePersistencePath: join(state, "v3"),
        workers: [workerOptions({ FETCH_LOCAL: new URL(site.url).host, ...vars }, entry)],
      })));
      edges.set(id, { miniflare, file, processes });
      const at = Number((await miniflare.ready).port);
      examples.set(at, site);
      const url = `http://localhost:${at}`;
      site.open(url);
      return { id, url, site: site.url, port: at, log };
    },
    /** Suspends the edge's process for so many milliseconds, as an overloaded machine would. */
    async halt({ id, ms }) {
      const { processes } = edges.get(id);
      for (const child of processes) child.kill("SIGSTOP");
      await pause(ms);
      for (const child of processes) child.kill("SIGCONT");
      return { processes: processes.length };
    },
    /** Kills the process as a power failure would, because it has no other way to end. */
    async stop({ id }) {
      const { miniflare } = edges.get(id) ?? {};
      edges.delete(id);
      await miniflare?.dispose();
      return {};
    },
  };
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    try {
      response.end(JSON.stringify(await commands[request.url.slice(1)](JSON.parse(text))));
    } catch (error) {
      response.writeHead(500).end(error.stack);
    }
  });
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Ends the edges that a test file has started and not stopped. */
    async release(file) {
      for (const [id, edge] of [...edges]) if (edge.file === file) await commands.stop({ id });
      for (const [port, site] of [...examples]) {
        if (site.file !== file) continue;
        examples.delete(port);
        site.stop();
      }
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      for (const id of [...edges.keys()]) await commands.stop({ id });
      for (const site of examples.values()) site.stop();
    },
  };
}
