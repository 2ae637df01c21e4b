// The frameworks and libraries of owners' pages, in a folder of their own.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./edge.mjs";

export const FRAMEWORKS = join(ROOT, "e2e/frameworks");

/** Installs them by npm, unless they are there. */
export function installFrameworks() {
  if (existsSync(join(FRAMEWORKS, "node_modules/.package-lock.json"))) return;
  const installed = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: FRAMEWORKS, stdio: ["ignore", 2, 2] });
  if (installed.status !== 0) throw new Error("the packages of e2e/frameworks could not be installed by npm");
}
