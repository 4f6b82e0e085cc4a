// The same work from the command line: to the built-in mail server with faults, and to Postfix's
// smtp-sink, which shares no code with us.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";

const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env.VESTNIK_BIN || join(ROOT, "target/release/vestnik");
const OWNER = "owner@example.org";

type Attempt = { number: number; status: string; code: number | null; reply: string };
type Delivery = { email: string; state: string; attempts: Attempt[] };

let folder: string;
let env: Record<string, string | undefined>;
const children: ReturnType<typeof spawn>[] = [];

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vestnik-cli-"));
  env = { ...process.env, VESTNIK_DATA_DIR: join(folder, "data"), VESTNIK_RETRY: "100ms" };
});

test.afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

const vestnik = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8" });
const id = (answer: string) => String(JSON.parse(answer).id);

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => probe.once("listening", done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

async function start(command: string, words: string[], port: number): Promise<void> {
  children.push(spawn(command, words, { stdio: "ignore", env }));
  await expect
    .poll(() => spawnSync("bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`]).status, { timeout: 15_000 })
    .toBe(0);
}

/** A user, clients from a file, a message and a mailing that starts now; returns the mailing's number. */
function prepare(emails: string[]): string {
  execFileSync(BINARY, ["user", "add", "--email", OWNER, "--name", "Анна"], { env, input: "a long enough phrase" });
  const csv = join(folder, "clients.csv");
  writeFileSync(csv, `email;имя\n${emails.map((email, n) => `${email};Клиент ${n}`).join("\n")}\nnobody;x\n`);
  const imported = spawnSync(BINARY, ["client", "import", "--owner", OWNER, csv, "--json"], { env, encoding: "utf8" });
  expect(imported.status, imported.stderr).toBe(3);
  expect(JSON.parse(imported.stdout)).toMatchObject({ added: emails.length, faulty: 1 });
  const body = join(folder, "body.md");
  writeFileSync(body, "Hello **{{ full_name }}**");
  const message = id(
    vestnik("message", "add", "--owner", OWNER, "--subject", "Привет, {{ full_name }}", "--body-file", body, "--json"),
  );
  const window = ["--start", "now", "--end", "2099-01-01T00:00:00Z", "--zone", "Europe/Moscow"];
  return id(vestnik("mailing", "add", "--owner", OWNER, "--message", message, "--clients", "all", ...window, "--json"));
}

const deliveries = (mailing: string): Delivery[] => JSON.parse(vestnik("mailing", "deliveries", mailing, "--json"));

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
  env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none`;
  await expect
    .poll(() => {
      vestnik("send", "--mailing", mailing);
      return JSON.parse(vestnik("mailing", "show", mailing, "--json")).status;
    })
    .toBe("finished");

  const record = Object.fromEntries(deliveries(mailing).map((delivery) => [delivery.email, delivery]));
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
  const sink = ["/usr/sbin/smtp-sink", "smtp-sink"].find((path) => spawnSync(path, ["-h"]).error === undefined)!;
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  await start(sink, [...user, `127.0.0.1:${port}`, "100"], port);
  env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none&connections=20`;
  expect(JSON.parse(vestnik("send", "--json"))).toMatchObject({ opened: 1, sent: 1_000, failed: 0, deferred: 0 });
  expect(deliveries(mailing).every(({ state, attempts }) => state === "sent" && attempts.length === 1)).toBe(true);
});
