// A real WordPress: its database is a private MariaDB on a socket, its server is PHP's own.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { ROOT, stateFolder } from "./edge.mjs";

/** The reason why there is none on this machine; false when there is one. */
export const missing = process.env.WORDPRESS_PATH
  ? false
  : (process.env.WORDPRESS_MISSING ?? "`cargo xtask test e2e wordpress` finds or installs WordPress");

/** A user that is not root, because daemons refuse to run as root. */
const isRoot = process.getuid?.() === 0;
const USER = isRoot ? "nobody" : execFileSync("id", ["-un"], { encoding: "utf8" }).trim();

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program; `ready` is true once it has started. When it never starts, the error has the end of its log. */
async function daemon(command, args, options, ready) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (const end = Date.now() + 120_000; !(await ready()); ) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill("SIGKILL");
      throw new Error(`${command} does not start:\n${log.slice(-4000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function startDatabase(folder) {
  const data = join(folder, "data");
  const socket = join(folder, "socket");
  await mkdir(data);
  if (isRoot) {
    const [uid, gid] = ["-u", "-g"].map((what) => Number(execFileSync("id", [what, USER], { encoding: "utf8" })));
    for (const path of [folder, data]) chownSync(path, uid, gid);
  }
  const program = existsSync("/usr/sbin/mariadbd") ? "/usr/sbin/mariadbd" : "mariadbd";
  // Without user tables, MariaDB accepts every client of the socket.
  const args = ["--no-defaults", `--datadir=${data}`, `--user=${USER}`, `--socket=${socket}`, `--pid-file=${join(folder, "pid")}`];
  args.push("--skip-networking", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0");
  const connect = `(new mysqli('localhost', 'root', '', '', 0, '${socket}'))`;
  const query = (sql) => execFileSync("php", ["-r", `mysqli_report(MYSQLI_REPORT_STRICT | MYSQLI_REPORT_ERROR); ${connect}->query('${sql}');`], { stdio: "pipe" });
  const server = await daemon(program, args, {}, () => {
    if (!existsSync(socket)) return false;
    try {
      query("SELECT 1");
      return true;
    } catch {
      return false;
    }
  });
  query("CREATE DATABASE wordpress");
  return { socket, stop: server.stop };
}

/** WordPress with the plugin copied in, but not activated; `password` is that of every user. */
export async function startWordPress() {
  const folder = await stateFolder();
  const stop = [];
  try {
    const database = await startDatabase(folder);
    stop.push(database.stop);
    const site = join(folder, "site");
    await cp(process.env.WORDPRESS_PATH, site, { recursive: true });
    await cp(join(ROOT, "snippet/wordpress/bulle-chat"), join(site, "wp-content/plugins/bulle-chat"), { recursive: true });
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const define = (name, value) => `define( '${name}', ${typeof value === "string" ? `'${value}'` : value} );\n`;
    const constants = {
      DB_NAME: "wordpress", DB_USER: "root", DB_PASSWORD: "", DB_HOST: `localhost:${database.socket}`, DB_CHARSET: "utf8mb4", DB_COLLATE: "",
      WP_HOME: url, WP_SITEURL: url, WP_DEBUG: true, WP_DEBUG_LOG: true, WP_DEBUG_DISPLAY: false, FS_METHOD: "direct",
      // WordPress sends no requests to other machines.
      WP_HTTP_BLOCK_EXTERNAL: true, DISABLE_WP_CRON: true, AUTOMATIC_UPDATER_DISABLED: true,
    };
    for (const name of ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"]) {
      for (const kind of ["KEY", "SALT"]) constants[`${name}_${kind}`] = `${name}-${kind}-only-for-tests`;
    }
    const lines = Object.entries(constants).map(([name, value]) => define(name, value));
    await writeFile(
      join(site, "wp-config.php"),
      `<?php\n${lines.join("")}$table_prefix = 'wp_';\nif ( ! defined( 'ABSPATH' ) ) define( 'ABSPATH', __DIR__ . '/' );\nrequire_once ABSPATH . 'wp-settings.php';\n`,
    );
    const settings = ["-d", "sendmail_path=/bin/true", "-d", "memory_limit=512M"];
    /** Runs PHP inside WordPress; gives its output. */
    const php = async (code, before = "") => {
      const file = join(folder, "script.php");
      await writeFile(file, `<?php\n${before}\nrequire '${site}/wp-load.php';\n${code}\n`);
      return execFileSync("php", [...settings, file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    };
    const password = "a password for tests 7!";
    await php(
      `require ABSPATH . 'wp-admin/includes/upgrade.php';
       wp_install( 'Shop', 'admin', 'admin@example.com', false, '', '${password}' );
       update_option( 'show_avatars', 0 );
       wp_insert_user( array( 'user_login' => 'reader', 'user_pass' => '${password}', 'user_email' => 'reader@example.com', 'display_name' => 'Rea "Der" O’Neil', 'role' => 'subscriber' ) );`,
      "define( 'WP_INSTALLING', true );",
    );
    const args = [...settings, "-S", `localhost:${port}`, "-t", site];
    const answers = () => fetch(url).then((response) => response.ok, () => false);
    const server = await daemon("php", args, {}, answers);
    stop.unshift(server.stop);
    return {
      url, folder: site, password, php,
      log: () => server.log(),
      async stop() {
        for (const end of stop) await end();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    for (const end of stop) await end();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
