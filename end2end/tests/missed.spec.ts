// Those whom a run did not reach: said in plain words, and sent to once more, exactly them.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY, type Delivery } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { freePort, isListening } from "./support/ports.ts";
import type { Server } from "./support/server.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";
const port = await freePort();
test.use({ serverEnv: { VESTNIK_SMTP_URL: `smtp://127.0.0.1:${port}?tls=none` } });

let sink: ChildProcess | undefined;
test.afterEach(() => void sink?.kill("SIGTERM"));

async function tryAgain(page: Page, server: Server, email: string, look?: (dialog: Locator) => Promise<void>): Promise<void> {
  const folder = server.dataDir;
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  sink = spawn(BINARY, ["sink", "--listen", `127.0.0.1:${port}`, "--faults", write("faults", "full*@* rcpt reply 550 5.7.1 Likely unsolicited mail times=1\n")]);
  await isListening(port);
  const env = { ...process.env, VESTNIK_DATA_DIR: folder };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8", input: PASSWORD });
  run("user", "add", "--email", email, "--name", "Anna");
  run("client", "import", "--owner", email, write("clients.csv", "email\nfull1@example.org\nfull2@example.org\nfound@example.org\n"));
  const add = (what: string, ...words: string[]) => String(JSON.parse(run(what, "add", "--owner", email, "--json", ...words)).id);
  const message = add("message", "--subject", "Hello", "--body-file", write("body.md", "Hello"));
  const mailing = add("mailing", "--message", message, "--clients", "all", "--end", "2099-01-01T00:00:00Z");
  const deliveries = (): Delivery[] => JSON.parse(run("mailing", "deliveries", mailing, "--json"));
  const states = () => deliveries().map(({ email, state }) => `${email} ${state}`).sort();
  await expect.poll(states).toEqual(["found@example.org sent", "full1@example.org failed", "full2@example.org failed"]);

  await logIn(page, "en", { email, password: PASSWORD });
  await page.goto(`/mailings/${mailing}`);
  const row = page.getByRole("row", { name: /full1@example\.org/ });
  await expect(row).toContainText("Refused as spam");
  await expect(row).toContainText("550 5.7.1 Likely unsolicited mail");
  await page.getByRole("link", { name: "Send to those who were missed" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Send to 2 clients who were missed?");
  await look?.(dialog);
  await dialog.getByRole("button", { name: "Send to the 2 clients who were missed" }).click();
  await expect(page).toHaveURL(new RegExp(`/mailings/${mailing}\\b(?!.*confirm)`));
  // Of both runs.
  const both = ["found@example.org sent", "full1@example.org failed", "full1@example.org sent", "full2@example.org failed", "full2@example.org sent"];
  await expect.poll(states).toEqual(both);
  await page.goto(`/mailings/${mailing}`);
  await expect(page.getByRole("link", { name: "Send to those who were missed" })).toHaveCount(0);
}

test("those who were missed get another run", async ({ page, server }) => {
  await tryAgain(page, server, "owner@example.org", async (dialog) => {
    await dialog.evaluate((shown) => Promise.all(shown.getAnimations({ subtree: true }).map((each) => each.finished)));
    await expectAccessible(page);
  });
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });
  test("the same", async ({ page, server, problems }) => {
    problems.expectUnfetched(/\.js$/);
    await tryAgain(page, server, "second@example.org");
  });
});
