// node run.mjs FILE.php|FILE.rb NAME=VALUE…   Runs the file with those variables and prints what it prints.
// With the interpreter of the machine when it is new enough, else with a WebAssembly build of it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { extname, resolve } from "node:path";

const languages = {
  ".php": {
    command: "php",
    probe: ["-r", "exit(PHP_VERSION_ID >= 80000 && function_exists('hash_hmac') ? 0 : 1);"],
    async wasm(source, env) {
      const { PHP, loadPHPRuntime } = await import("@php-wasm/universal");
      const { getPHPLoaderModule } = await import("@php-wasm/node-8-4");
      const php = new PHP(await loadPHPRuntime(await getPHPLoaderModule(), { ENV: env }));
      const answer = await php.run({ code: source });
      process.stdout.write(answer.bytes);
      return answer.exitCode;
    },
  },
  ".rb": {
    command: "ruby",
    probe: ["-ropenssl", "-rjson", "-e", "exit(RUBY_VERSION.to_f >= 3.0)"],
    async wasm(source, env) {
      // Its build for browsers: the system interface of node:wasi crashes now and then (fast calls, memory that grew).
      const { DefaultRubyVM } = await import("@ruby/wasm-wasi/dist/browser");
      const path = new URL(import.meta.resolve("@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm"));
      const { vm } = await DefaultRubyVM(await WebAssembly.compile(readFileSync(path)), { env });
      vm.eval(source);
      return 0;
    },
  },
};

const [file, ...assignments] = process.argv.slice(2);
const env = Object.fromEntries(assignments.map((a) => [a.slice(0, a.indexOf("=")), a.slice(a.indexOf("=") + 1)]));
const { command, probe, wasm } = languages[extname(file)];
if (spawnSync(command, probe, { stdio: "ignore" }).status === 0) {
  const { status } = spawnSync(command, [resolve(file)], { stdio: "inherit", env: { PATH: process.env.PATH, ...env } });
  process.exitCode = status ?? 1;
} else {
  if (!existsSync(`${import.meta.dirname}/node_modules/.package-lock.json`)) {
    const installed = spawnSync("npm", ["ci"], { cwd: import.meta.dirname, stdio: ["ignore", 2, 2] });
    if (installed.status !== 0) throw new Error(`neither ${command} nor its WebAssembly build: install one of them`);
  }
  // What compiles and runs here does not keep Node from ending: a timer does.
  const alive = setInterval(() => {}, 1_000);
  try {
    process.exitCode = await wasm(readFileSync(file, "utf8"), env);
  } finally {
    clearInterval(alive);
  }
}
