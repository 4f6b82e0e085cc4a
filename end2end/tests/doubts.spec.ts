// Letters of which nobody knows whether they arrived: one is decided on alone, the others together.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY, type Delivery } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { freePort, isListening } from "./support/ports.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };
const port = await freePort();
test.use({ serverEnv: { VESTNIK_SMTP_URL: `smtp://127.0.0.1:${port}?tls=none` } });

let sink: ChildProcess | undefined;
test.afterAll(() => void sink?.kill("SIGTERM"));

/** Answers one of the section's questions. */
async function decide(page: Page, word: string): Promise<void> {
  await page.getByRole("button", { name: word, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.evaluate((shown) => Promise.all(shown.getAnimations({ subtree: true }).map((each) => each.finished)));
  await expectAccessible(page);
  await dialog.getByRole("button", { name: word, exact: true }).click();
  await expect(dialog).toBeHidden();
}

test("what is in doubt is decided on, singly and all at once", async ({ page, server }) => {
  const folder = server.dataDir;
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  // The letter is taken, and the connection breaks before the server says so.
  sink = spawn(BINARY, ["sink", "--listen", `127.0.0.1:${port}`, "--faults", write("faults", "lost*@* dot drop-after times=1\n")]);
  await isListening(port);

  const env = { ...process.env, VESTNIK_DATA_DIR: folder };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8", input: OWNER.password });
  run("user", "add", "--email", OWNER.email, "--name", "Anna");
  const people = ["lost1", "lost2", "lost3", "found"].map((name) => `${name}@example.org;${name}`);
  run("client", "import", "--owner", OWNER.email, write("clients.csv", `email;name\n${people.join("\n")}\n`));
  const add = (what: string, ...words: string[]) => String(JSON.parse(run(what, "add", "--owner", OWNER.email, "--json", ...words)).id);
  const message = add("message", "--subject", "Hello", "--body-file", write("body.md", "Hello"));
  const mailing = add("mailing", "--message", message, "--clients", "all", "--end", "2099-01-01T00:00:00Z", "--policy", "hold");
  const deliveries = (): Delivery[] => JSON.parse(run("mailing", "deliveries", mailing, "--json"));
  const states = () => deliveries().map(({ state }) => state).sort();
  await expect.poll(states).toEqual(["sent", "unknown", "unknown", "unknown"]);

  await logIn(page, "en", OWNER);
  await page.goto(`/mailings/${mailing}`);
  await expect(page.getByRole("heading", { name: "3 deliveries unconfirmed" })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Review one by one" }).click();
  await page.getByRole("link", { name: "lost2@example.org" }).click();
  await expect(page.getByRole("heading", { name: "1 delivery unconfirmed" })).toBeVisible();
  await decide(page, "Mark as delivered");
  await expect(page.locator("main")).toContainText("Anna: marked as delivered");
  expect(states()).toEqual(["sent", "sent", "unknown", "unknown"]);

  await page.goto(`/mailings/${mailing}`);
  await decide(page, "Send again");
  await expect(page.getByRole("heading", { name: "unconfirmed" })).toHaveCount(0);
  await expect.poll(states).toEqual(["sent", "sent", "sent", "sent"]);
  const attempts = Object.fromEntries(deliveries().map(({ email, attempts }) => [email, attempts.map(({ status }) => status)]));
  expect(attempts).toEqual({
    "lost1@example.org": ["unknown", "sent"],
    "lost2@example.org": ["unknown"],
    "lost3@example.org": ["unknown", "sent"],
    "found@example.org": ["sent"],
  });
});
