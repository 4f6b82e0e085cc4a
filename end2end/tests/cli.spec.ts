// The same work from the command line: to the built-in mail server with faults, and to Postfix's
// smtp-sink, which shares no code with us.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { BINARY, CommandLine } from "./support/command.ts";
import { freePort, isListening } from "./support/ports.ts";

let folder: string;
let vestnik: CommandLine;
const children: ReturnType<typeof spawn>[] = [];

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vestnik-cli-"));
  vestnik = new CommandLine(folder);
});

test.afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

async function start(command: string, words: string[], port: number): Promise<void> {
  const env = { ...vestnik.env, PATH: `${process.env.PATH}:/usr/sbin` };
  children.push(spawn(command, words, { stdio: "ignore", env }));
  await isListening(port);
}

/** A mailing to these addresses that starts now; returns its number. */
function prepare(emails: string[]): string {
  vestnik.addOwner();
  vestnik.addClients(emails.map((email, n) => ({ email, name: `Клиент ${n}` })));
  return vestnik.addMailing("Привет, {{ full_name }}", "Hello **{{ full_name }}**");
}

test("faults of one client leave the others alone, and nobody gets two", async () => {
  const emails = ["bad@example.org", "grey@example.org", "cut@example.org", "one@example.org", "two@example.org"];
  const mailing = prepare(emails);
  const port = await freePort();
  const [faults, ledger] = [join(folder, "faults"), join(folder, "ledger")];
  writeFileSync(
    faults,
    "bad@* rcpt reply 550 5.1.1 No such user\n" +
      "grey@* rcpt reply 451 4.7.1 Greylisted times=1\n" +
      "cut@* rcpt drop times=1\n",
  );
  await start(BINARY, ["sink", "--listen", `127.0.0.1:${port}`, "--faults", faults, "--ledger", ledger], port);
  vestnik.env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none`;
  await expect
    .poll(() => {
      vestnik.run("send", "--mailing", mailing);
      return JSON.parse(vestnik.run("mailing", "show", mailing, "--json")).status;
    })
    .toBe("finished");

  const record = Object.fromEntries(vestnik.deliveries(mailing).map((delivery) => [delivery.email, delivery]));
  const told = (email: string) => record[email]!.attempts.map(({ status, code }) => [status, code]);
  expect(told("bad@example.org")).toEqual([["failed", 550]]);
  expect(record["bad@example.org"]!.attempts[0]!.reply).toContain("No such user");
  expect(told("grey@example.org")).toEqual([["deferred", 451], ["sent", 250]]);
  expect(told("cut@example.org")).toEqual([["deferred", null], ["sent", 250]]);
  const arrived = readFileSync(ledger, "utf8").trim().split("\n").map((line) => JSON.parse(line).recipient);
  expect(arrived.sort()).toEqual(["cut@example.org", "grey@example.org", "one@example.org", "two@example.org"]);
});

test("1 000 letters to Postfix's smtp-sink", async () => {
  const mailing = prepare(Array.from({ length: 1_000 }, (_, n) => `client${n}@example.org`));
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  await start("smtp-sink", [...user, `127.0.0.1:${port}`, "100"], port);
  vestnik.env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none&connections=20`;
  vestnik.env.VESTNIK_PUBLIC_URL = "https://vestnik.example";
  expect(JSON.parse(vestnik.run("send", "--json"))).toMatchObject({ opened: 1, sent: 1_000, failed: 0, deferred: 0 });
  const sent = vestnik.deliveries(mailing);
  expect(sent.length).toBe(1_000);
  expect(sent.every(({ state, attempts }) => state === "sent" && attempts.length === 1)).toBe(true);
});
