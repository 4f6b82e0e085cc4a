// Vestnik's command line in a folder of its own.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "@playwright/test";

export const BINARY = resolve(process.env.VESTNIK_BIN || join(import.meta.dirname, "../../../target/debug/vestnik"));
export const OWNER = { email: "owner@example.org", name: "Анна Ким" };

export type Attempt = { number: number; status: string; code: number | null; reply: string };
export type Delivery = { email: string; state: string; attempts: Attempt[] };
export type Client = { email: string; name: string; comment?: string };

export class CommandLine {
  readonly env: Record<string, string | undefined>;

  constructor(readonly folder: string) {
    this.env = { ...process.env, VESTNIK_DATA_DIR: join(folder, "data"), VESTNIK_RETRY: "100ms" };
  }

  run(...words: string[]): string {
    return execFileSync(BINARY, words, { env: this.env, encoding: "utf8" });
  }

  /** The user whom everything belongs to. */
  addOwner(): void {
    const words = ["user", "add", "--email", OWNER.email, "--name", OWNER.name];
    execFileSync(BINARY, words, { env: this.env, input: "a long enough phrase" });
  }

  /** Imports clients from a file that has one faulty line beside them. */
  addClients(clients: Client[]): void {
    const csv = join(this.folder, "clients.csv");
    const quoted = (text = "") => `"${text.replaceAll('"', '""')}"`;
    const lines = clients.map(({ email, name, comment }) => [email, name, comment].map(quoted).join(";"));
    writeFileSync(csv, `email;имя;комментарий\n${lines.join("\n")}\nnobody;x;\n`);
    const words = ["client", "import", "--owner", OWNER.email, csv, "--json"];
    const imported = spawnSync(BINARY, words, { env: this.env, encoding: "utf8" });
    expect(imported.status, imported.stderr).toBe(3);
    expect(JSON.parse(imported.stdout)).toMatchObject({ added: clients.length, faulty: 1 });
  }

  /** A mailing to all clients that starts now; returns its number. */
  addMailing(subject: string, body: string): string {
    const file = join(this.folder, "body.md");
    writeFileSync(file, body);
    const message = this.#add("message", "--subject", subject, "--body-file", file);
    const window = ["--start", "now", "--end", "2099-01-01T00:00:00Z", "--zone", "Europe/Moscow"];
    return this.#add("mailing", "--message", message, "--clients", "all", ...window);
  }

  deliveries(mailing: string): Delivery[] {
    return JSON.parse(this.run("mailing", "deliveries", mailing, "--json"));
  }

  #add(what: string, ...words: string[]): string {
    return String(JSON.parse(this.run(what, "add", "--owner", OWNER.email, "--json", ...words)).id);
  }
}
