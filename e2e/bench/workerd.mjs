// The resources of the workerd behind a port of `wrangler dev`, from Linux' /proc.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

/** Clock ticks of a second in /proc, the same on every Linux. */
const TICKS = 100;

/** wrangler starts two processes: one has the port and passes requests on, its sibling runs the Worker with D1, KV and objects. */
export class Workerd {
  constructor(port) {
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap(workerd);
    const front = all.find(({ line }) => line.includes(`entry=127.0.0.1:${port}`));
    const behind = all.find(({ id, parent }) => parent === front?.parent && id !== front.id);
    if (!behind) throw new Error(`/proc shows no workerd behind port ${port}: has wrangler changed how it starts it?`);
    this.folder = `/proc/${behind.id}`;
  }

  /** CPU seconds so far, of all its threads. */
  cpu() {
    const [user, system] = stat(this.folder).slice(11, 13).map(Number);
    return (user + system) / TICKS;
  }

  /** Resident megabytes: the present value, and the peak since `forgetPeak`. */
  memory() {
    const status = readFileSync(`${this.folder}/status`, "utf8");
    const megabytes = (name) => Number(status.match(`${name}:\\s+(\\d+) kB`)[1]) / 1024;
    return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
  }

  forgetPeak() {
    writeFileSync(`${this.folder}/clear_refs`, "5");
  }
}

/** The fields after the name, which may contain any character: state, parent, … */
const stat = (folder) => readFileSync(`${folder}/stat`, "utf8").replace(/.*\) /s, "").split(" ");

function workerd(id) {
  try {
    const line = readFileSync(`/proc/${id}/cmdline`, "utf8");
    return line.split("\0")[0].endsWith("workerd") ? [{ id, line, parent: stat(`/proc/${id}`)[1] }] : [];
  } catch {
    // The process has ended meanwhile.
    return [];
  }
}
