// One Vestnik of its own per test file: free port, empty data directory.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY } from "./command.ts";
import { freePort } from "./ports.ts";

const START_MS = 30_000;
const STOP_MS = 15_000;

export class Server {
  readonly url: string;
  readonly dataDir: string;
  #child: ChildProcess;
  #output = "";

  private constructor(url: string, dataDir: string, child: ChildProcess) {
    this.url = url;
    this.dataDir = dataDir;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
  }

  /** Starts a server and waits until it answers. `env` adds to its settings or replaces them; `fill` puts something
   * into its data folder before. */
  static async start(env: Record<string, string> = {}, fill?: (dataDir: string) => void): Promise<Server> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const dataDir = await mkdtemp(join(tmpdir(), "vestnik-e2e-"));
    fill?.(dataDir);
    const child = spawn(BINARY, ["serve"], {
      cwd: dataDir,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...withoutSettings(process.env),
        VESTNIK_ADDR: `127.0.0.1:${port}`,
        VESTNIK_PUBLIC_URL: url,
        VESTNIK_DATA_DIR: dataDir,
        ...env,
      },
    });
    const server = new Server(url, dataDir, child);
    child.on("error", (error) => (server.#output += `${BINARY}: ${error.message}\n`));
    try {
      await server.#poll("an answer", START_MS, async () => (await fetch(url).catch(() => undefined)) !== undefined);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Everything the server has printed so far. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits for something on the server's console, such as the first administrator's link. */
  async consoleLine(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await this.#poll(String(pattern), START_MS, async () => (match = pattern.exec(this.#output)) !== null);
    return match as unknown as RegExpExecArray;
  }

  async stop(): Promise<void> {
    if (this.#running && this.#child.pid) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(timer);
    }
    await rm(this.dataDir, { recursive: true, force: true });
  }

  get #running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #poll(what: string, ms: number, done: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + ms;
    while (!(await done())) {
      if (!this.#child.pid || !this.#running) throw new Error(`the server ended while waiting for ${what}:\n${this.#output}`);
      if (Date.now() > end) throw new Error(`the server gave no sign of ${what}:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

// The developer's own settings must not leak into the tests.
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("VESTNIK_")));
}
