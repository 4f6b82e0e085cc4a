// A mailing on its whole way: the command line, a real Postfix, a mailbox, and a parser that is not ours.
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";
import { CommandLine, OWNER } from "./support/command.ts";
import { freePort } from "./support/ports.ts";
import { startPostfix } from "./support/postfix.ts";

type Address = { name: string; address: string };
type Read = {
  subject: string;
  from: Address[];
  to: Address[];
  reply_to: Address[];
  date: string;
  message_id: string;
  counts: Record<string, number>;
  type: string;
  parts: { type: string; charset: string; text: string }[];
  defects: string[];
};

const SCRIPT = resolve(import.meta.dirname, "support/read_letter.py");
const read = (letter: Buffer): Read => JSON.parse(execFileSync("python3", [SCRIPT], { input: letter, encoding: "utf8" }));

const VERIFY = resolve(import.meta.dirname, "support/verify_dkim.py");
/** Debian's Python has the module where another one that comes first on PATH has not. */
const PYTHON = ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["-c", "import dkim, nacl"]).status === 0);

/** A key to sign with, and its public half as it stands in the DNS (RFC 6376 3.6.1, RFC 8463 4). */
function makeKey(file: string, kind: "rsa" | "ed25519"): string {
  const { privateKey, publicKey } =
    kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const der = publicKey.export({ type: "spki", format: "der" });
  return `v=DKIM1; k=${kind}; p=${(kind === "rsa" ? der : der.subarray(-32)).toString("base64")}`;
}

/** Whether a signature holds, as a verifier says that is not ours. */
const verifies = (letter: Buffer, name: string, record: string) =>
  execFileSync(PYTHON!, [VERIFY, name, record], { input: letter, encoding: "utf8" }).trim() === "True";

const SUBJECT = "Каталог «Осень — 2026» для {{ full_name }}: скидки до 30 %, и ещё длинный хвост, чтобы строка свернулась";
const BODY = `# Здравствуйте, {{ full_name }}!

Пишем на **{{ email }}**: {{ comment }}.

.
Строка из точки & <не тег> доходит целой.

[Каталог](https://example.org/каталог)`;
const INTERNATIONAL = "почта@пример.рф";
const CLIENTS = [
  { email: "anna@example.org", name: "Иванова, Анна «Аня»", comment: "R&D <b>отдел</b>" },
  { email: "bob@example.org", name: "Bob O'Neil", comment: "plain" },
  { email: "ivan@пример.рф", name: "Иван", comment: "домен" },
  { email: INTERNATIONAL, name: "Международный Адрес", comment: "SMTPUTF8" },
];
// What goes over the wire for an ASCII name at an international domain (RFC 5891).
const WIRE: Record<string, string> = { "ivan@пример.рф": "ivan@xn--e1afmkfd.xn--p1ai" };

test("a mailing through Postfix into a mailbox is what was written", async ({}, info) => {
  const folder = mkdtempSync(join(tmpdir(), "vestnik-postfix-"));
  const port = await freePort();
  const mailbox = await startPostfix(folder, port, ["example.org", "пример.рф", "xn--e1afmkfd.xn--p1ai"]);
  // smtp-sink knows no international addresses.
  const clients = mailbox.kept === "postfix" ? CLIENTS : CLIENTS.filter(({ email }) => email !== INTERNATIONAL);
  if (mailbox.kept !== "postfix") console.log("Postfix starts for root alone: its smtp-sink takes the letters instead.");
  try {
    const vestnik = new CommandLine(folder);
    vestnik.addOwner();
    vestnik.addClients(clients);
    const mailing = vestnik.addMailing(SUBJECT, BODY);
    vestnik.env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none`;
    vestnik.env.VESTNIK_FROM = "news@example.org";
    vestnik.env.VESTNIK_DKIM_KEY = join(folder, "dkim.pem");
    vestnik.env.VESTNIK_DKIM_SELECTOR = "autumn";
    const record = makeKey(vestnik.env.VESTNIK_DKIM_KEY, "rsa");
    const before = Date.now();
    expect(JSON.parse(vestnik.run("send", "--json"))).toMatchObject({ opened: 1, sent: clients.length, failed: 0 });
    for (const { email, attempts } of vestnik.deliveries(mailing)) {
      expect(attempts.map(({ status, code }) => [status, code]), email).toEqual([["sent", 250]]);
    }

    await expect.poll(() => mailbox.letters().length).toBe(clients.length);
    for (const letter of mailbox.letters()) {
      // An international header is no matter for the verifier's parser.
      if (!letter.includes(INTERNATIONAL)) expect(verifies(letter, "autumn._domainkey.example.org.", record)).toBe(true);
    }
    const letters = mailbox.letters().map(read);
    expect(new Set(letters.map((letter) => letter.message_id)).size).toBe(clients.length);
    for (const { email, name, comment } of clients) {
      const address = WIRE[email] ?? email;
      const letter = letters.find(({ to }) => to[0]?.address === address)!;
      expect(letter, `a letter to ${address}`).toBeDefined();
      expect(letter.defects).toEqual([]);
      expect(new Set(Object.values(letter.counts)), JSON.stringify(letter.counts)).toEqual(new Set([1]));
      expect(letter.subject).toBe(SUBJECT.replace("{{ full_name }}", name));
      expect(letter.from).toEqual([{ name: OWNER.name, address: "news@example.org" }]);
      expect(letter.reply_to).toEqual([{ name: "", address: OWNER.email }]);
      expect(letter.to).toEqual([{ name, address }]);
      expect(letter.message_id).toMatch(/^<[0-9a-f]{32}@example\.org>$/);
      // To the second, as a header has it.
      const sent = Date.parse(letter.date);
      expect(sent).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000);
      expect(sent).toBeLessThanOrEqual(Date.now());

      expect(letter.type).toBe("multipart/alternative");
      expect(letter.parts.map(({ type, charset }) => [type, charset])).toEqual([["text/plain", "utf-8"], ["text/html", "utf-8"]]);
      const [text, html] = letter.parts.map((part) => part.text);
      expect(text).toContain(`Здравствуйте, ${name}!`);
      expect(text).toContain(`${email}`);
      expect(text).toContain(`: ${comment}.`);
      expect(text).toContain("Строка из точки & <не тег> доходит целой.");
      const escaped = (value: string) => value.replace(/[&<>']/g, (c) => `&${{ "&": "amp", "<": "lt", ">": "gt" }[c] ?? "#39"};`);
      expect(html).toContain(`Здравствуйте, ${escaped(name)}!`);
      expect(html).toContain(`<strong>${email}</strong>: ${escaped(comment)}.`);
    }
  } finally {
    const log = mailbox.stop();
    if (info.errors.length > 0 || info.status !== "passed") await info.attach("postfix", { body: log });
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a letter signed with Ed25519 verifies, and not when it is changed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vestnik-dkim-"));
  const port = await freePort();
  const mailbox = await startPostfix(folder, port, ["example.org"]);
  try {
    const vestnik = new CommandLine(folder);
    vestnik.addOwner();
    vestnik.addClients(CLIENTS.slice(0, 1));
    vestnik.addMailing(SUBJECT, BODY);
    vestnik.env.VESTNIK_SMTP_URL = `smtp://127.0.0.1:${port}?tls=none`;
    vestnik.env.VESTNIK_FROM = "news@example.org";
    vestnik.env.VESTNIK_DKIM_KEY = join(folder, "dkim.pem");
    const record = makeKey(vestnik.env.VESTNIK_DKIM_KEY, "ed25519");
    vestnik.run("send");
    await expect.poll(() => mailbox.letters().length).toBe(1);
    const [letter] = mailbox.letters();
    const name = "vestnik._domainkey.example.org.";
    expect(verifies(letter!, name, record)).toBe(true);
    const changed = Buffer.from(letter!.toString("latin1").replace("Date: ", "Date:  Mon, "), "latin1");
    expect(verifies(changed, name, record)).toBe(false);
  } finally {
    mailbox.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
