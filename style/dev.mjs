// `make dev`: builds, serves, and does both again on every change; open pages reload.
// A change of style or public files leaves the Rust code alone: the server only starts anew.
import { spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { ROOT, TARGET, folders } from "./tools/paths.mjs";

const ADDR = process.env.VESTNIK_ADDR || "127.0.0.1:3000";
const RELOAD_PORT = 3001;
const WATCHED = ["src", "style", "public", "migrations", "Cargo.toml"];
const IGNORED = /(^|\/)(node_modules|\.[^/]*)(\/|$)|~$/;
/** Editors write a file in several steps; wait for the last. */
const SETTLE_MS = 150;

const pages = new Set();
let server;
let building = false;
// What has changed since the last build: nothing, "style" or "code".
let pending = "code";

createServer((request, response) => {
  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
  });
  response.write(": connected\n\n");
  pages.add(response);
  request.on("close", () => pages.delete(response));
}).listen(RELOAD_PORT, "127.0.0.1");

for (const name of WATCHED) {
  const path = join(ROOT, name);
  if (!existsSync(path)) continue;
  watch(path, { recursive: true }, (_event, file) => {
    if (file && IGNORED.test(file)) return;
    const style = name === "public" || (name === "style" && extname(file ?? "") === ".css");
    if (name === "style" && !style) return;
    pending = style ? (pending ?? "style") : "code";
    schedule();
  });
}

let timer;
function schedule() {
  clearTimeout(timer);
  timer = setTimeout(cycle, SETTLE_MS);
}

async function cycle() {
  if (building || !pending) return;
  building = true;
  const code = pending === "code";
  pending = undefined;
  if (await build(code)) {
    await restart();
    for (const page of pages) page.write("data: reload\n\n");
  } else {
    console.error("The last good build goes on running.");
  }
  building = false;
  if (pending) schedule();
}

async function build(code) {
  const site = await run(process.execPath, ["style/build.mjs", "--dev", ...(code ? [] : ["--no-wasm"])]);
  return site && (!code || (await run("cargo", ["build", "--features", "ssr"])));
}

function run(command, args) {
  return new Promise((resolve) => {
    const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
    spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] })
      .on("error", () => resolve(false))
      .on("exit", (status) => resolve(status === 0));
  });
}

async function restart() {
  if (server && server.exitCode === null && server.signalCode === null) {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await gone;
  }
  server = spawn(join(TARGET, "debug", "vestnik"), ["serve"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      VESTNIK_ADDR: ADDR,
      VESTNIK_SITE_DIR: folders(false).site,
      VESTNIK_DEV_RELOAD: `http://127.0.0.1:${RELOAD_PORT}`,
    },
  });
  await answers(server);
}

// A page that reloads before the server listens would show the browser's error page and stay there.
async function answers(child) {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      await fetch(`http://${ADDR}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    server?.kill("SIGTERM");
    process.exit(0);
  });
}
schedule();
