// Pages that follow what happens: what stands on them agrees, and a page that has lost its server says so.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { freePort } from "./support/ports.ts";
import { goSettled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };
// Nothing listens there: the run stays open.
const port = await freePort();
test.use({ serverEnv: { VESTNIK_SMTP_URL: `smtp://127.0.0.1:${port}?tls=none` } });

/** A server that is gone is told of within five seconds. */
const TOLD_MS = 5_000;

test("the page of a mailing agrees with itself and with its server", async ({ page, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8", input: OWNER.password });
  const write = (name: string, text: string): string => {
    writeFileSync(join(server.dataDir, name), text);
    return join(server.dataDir, name);
  };
  run("user", "add", "--email", OWNER.email, "--name", "Anna", "--role", "admin");
  run("client", "import", "--owner", OWNER.email, write("clients.csv", "email\na@example.org\nb@example.org\n"));
  const add = (what: string, ...words: string[]) => String(JSON.parse(run(what, "add", "--owner", OWNER.email, "--json", ...words)).id);
  const message = add("message", "--subject", "Hello", "--body-file", write("body.md", "Hello"));
  const mailing = add("mailing", "--message", message, "--clients", "all", "--end", "2099-01-01T00:00:00Z");
  const deliveries = () => JSON.parse(run("mailing", "deliveries", mailing, "--json")).length;
  await expect.poll(deliveries).toBe(2);

  await logIn(page, "en", OWNER);
  await goSettled(page, `/mailings/${mailing}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
  await expect(page.locator("main")).not.toContainText("Sending");
  await expect(page.getByRole("table", { name: "Runs" })).toContainText("Paused");

  for (const path of [`/mailings/${mailing}`, "/mailings", "/relays"]) {
    await goSettled(page, path);
    const lost = page.getByTestId("lost");
    await expect(lost).toHaveCount(0);
    process.kill(server.pid, "SIGSTOP");
    try {
      await expect(lost).toBeVisible({ timeout: TOLD_MS });
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await expect(lost).toHaveCount(0);
  }
});

test("the page of an import waits for its server, and says so", async ({ page, server }) => {
  const email = "importer@example.org";
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", email, "--name", "Boris"], { env, input: OWNER.password });
  await logIn(page, "en", { email, password: OWNER.password });
  await goSettled(page, "/clients/import");
  const lines = Array.from({ length: 50_000 }, (_, n) => `c${n}@example.org,Client ${n}`).join("\n");
  await page.locator('input[type="file"]').setInputFiles({ name: "many.csv", mimeType: "text/csv", buffer: Buffer.from(`email,name\n${lines}\n`) });
  await page.locator("main form button[type=submit]").click();
  await page.getByRole("button", { name: "Start the import" }).click();
  const progress = page.getByRole("progressbar");
  await expect(progress).toBeVisible();
  const lost = page.getByTestId("lost");
  process.kill(server.pid, "SIGSTOP");
  try {
    await expect(lost).toBeVisible({ timeout: TOLD_MS });
    await expect(progress).toBeVisible();
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
  await expect(page.getByText("The import is finished")).toBeVisible({ timeout: 120_000 });
  await expect(lost).toHaveCount(0);
});
