// A server with the demonstration's data, whose mailings have run: all well, or with a mail server's usual trouble.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { BINARY } from "./command.ts";
import { freePort, isListening } from "./ports.ts";
import { Server } from "./server.ts";

export type Lang = "en" | "ru";
export type User = { email: string; password: string };
const FAULTS = `seed 7
rate=15% rcpt reply 550 5.1.1 No such user here
rate=15% rcpt reply 451 4.7.1 Greylisted, try again in five minutes
rate=5% dot drop-after
`;

export class Demo {
  private constructor(
    readonly server: Server,
    /** The demonstration's users, by language; they may write the blog. */
    readonly users: Record<Lang, User>,
    readonly admin: User,
    readonly sink: ChildProcess | undefined,
  ) {}

  static async start(trouble = false): Promise<Demo> {
    let users: User[] = [];
    const admin = { email: "admin@example.org", password: "a long enough phrase" };
    let sink: ChildProcess | undefined;
    const env: Record<string, string> = {};
    const port = await freePort();
    if (trouble) {
      env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none`;
      // Mass mail needs it.
      env.VESTNIK_PUBLIC_URL = "https://vestnik.example";
    }
    const server = await Server.start(env, (dataDir) => {
      const made = execFileSync(BINARY, ["demo", "--json"], { env: settings(dataDir), encoding: "utf8" });
      users = JSON.parse(made).users;
      const adding = ["user", "add", "--email", admin.email, "--name", "Admin", "--role", "admin"];
      execFileSync(BINARY, adding, { env: settings(dataDir), input: admin.password });
      if (!trouble) return;
      const faults = join(dataDir, "faults");
      writeFileSync(faults, FAULTS);
      sink = spawn(BINARY, ["sink", "--listen", `127.0.0.1:${port}`, "--faults", faults], { stdio: "ignore" });
    });
    if (trouble) await isListening(port);
    const demo = new Demo(server, { en: users[0]!, ru: users[1]! }, admin, sink);
    await demo.#sent();
    return demo;
  }

  /** Logs the page's context in, with the user of that language. */
  logIn(page: Page, lang: Lang): Promise<void> {
    return logIn(page, lang, this.users[lang]);
  }

  /** Adds a mail server, switched off, unless it is there. */
  addRelay(): void {
    const words = ["relay", "add", "--name", "Main", "--host", "mail.example.org", "--tls", "none", "--off"];
    spawnSync(BINARY, words, { env: settings(this.server.dataDir) });
  }

  /** Takes it away again: while there is one, even switched off, nothing is caught. */
  removeRelay(): void {
    execFileSync(BINARY, ["relay", "remove", "Main"], { env: settings(this.server.dataDir) });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.sink?.kill("SIGTERM");
  }

  /** Waits until every delivery of the mailings that are due has been tried. */
  async #sent(): Promise<void> {
    const env = settings(this.server.dataDir);
    for (const mailing of ["1", "2", "5", "6"]) {
      await expect
        .poll(() => {
          const told = execFileSync(BINARY, ["mailing", "deliveries", mailing, "--json"], { env, encoding: "utf8" });
          const deliveries: { state: string; attempts: unknown[] }[] = JSON.parse(told);
          // Whom an earlier mailing found to be unknown there gets none.
          const seen = deliveries.every(({ state, attempts }) => attempts.length > 0 || state === "not_sent");
          return deliveries.length > 0 && seen;
        })
        .toBe(true);
    }
  }
}

/** Logs a user in, who will read in that language. */
export async function logIn(page: Page, lang: Lang, user: User): Promise<void> {
  await page.goto(`/language?to=${lang}&next=/login`);
  await page.locator('input[name="form[email]"]').fill(user.email);
  await page.locator('input[name="form[password]"]').fill(user.password);
  await page.locator("main form button[type=submit]").click();
  await expect(page).toHaveURL(/\/overview$/);
}

const settings = (dataDir: string) => ({ ...process.env, VESTNIK_DATA_DIR: dataDir });
