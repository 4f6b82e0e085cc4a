// Mail servers, as an administrator keeps them: on the pages, without scripts, and on the command line.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import type { Server } from "./support/server.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";

let sink: ChildProcess | undefined;
test.afterEach(() => void sink?.kill("SIGTERM"));

/** Starts a mail server and returns its port. */
async function startSink(): Promise<string> {
  const child = spawn(BINARY, ["sink", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  sink = child;
  return new Promise((done) => {
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec((said += text))?.[1];
      if (port) done(port);
    });
  });
}

async function logIn(page: Page, server: Server, role: string): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const email = `${role}@example.org`;
  spawnSync(BINARY, ["user", "add", "--email", email, "--name", role, "--role", role], { env, input: PASSWORD });
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);
}

test("a mail server is tried before it is saved, used at once, and taken away", async ({ page, server, problems }) => {
  problems.expect(/\/api\/relays\/save/, 422);
  await logIn(page, server, "admin");
  await page.goto("/relays");
  await expect(page.locator("main")).toContainText("no email leaves this server");
  await expectAccessible(page);

  await page.getByRole("link", { name: "Add a mail server" }).first().click();
  await expect(page).toHaveURL(/\/relays\/new$/);
  await page.getByLabel("Name", { exact: false }).first().fill("Main");
  await page.getByLabel("Host").fill("127.0.0.1");
  await page.getByLabel("Port").fill("9");
  await page.getByLabel("Encryption").selectOption("none");
  await page.getByLabel("Letters in any hour").fill("500");
  await page.getByRole("button", { name: "Save" }).click();
  // It stays, with what was typed, and says at the field what is wrong.
  await expect(page.getByText(/TCP: nobody answers there/)).toBeVisible();
  await expect(page.getByLabel("Letters in any hour")).toHaveValue("500");
  await expectAccessible(page);

  await page.getByLabel("Port").fill(await startSink());
  await page.getByRole("button", { name: "Test connection" }).click();
  await expect(page.getByText("The connection works")).toBeVisible();
  await expect(page.getByText(/^EHLO \[127\.0\.0\.1\]$/)).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/relays(\?done=.*)?$/);
  const card = page.getByRole("listitem").filter({ hasText: "Main" });
  await expect(card).toContainText("Ready");
  await expect(card).toContainText("0 of 500 an hour");
  await expect(page.locator("header")).not.toContainText("no email leaves this server");
  await expectAccessible(page);

  await card.getByRole("link", { name: "Test connection" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Test of Main");
  await expect(page.getByText("The connection works")).toBeVisible();
  await expectAccessible(page);

  await page.goto("/relays");
  await card.getByRole("button", { name: "Switch off" }).click();
  await expect(card).toContainText("Off");
  await expect(page.locator("main")).toContainText("All mail servers are switched off");
  await card.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.locator("main")).toContainText("no email leaves this server");
});

test("nobody else may", async ({ page, server, problems }) => {
  problems.expect(/\/relays/, 403);
  await logIn(page, server, "manager");
  await expect(page.getByRole("link", { name: "Mail servers" })).toHaveCount(0);
  for (const path of ["/relays", "/relays/new", "/relays/1", "/relays/0/test"]) {
    expect((await page.goto(path))?.status(), path).toBe(403);
  }
  expect((await page.request.get("/events/relays")).status()).toBe(403);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the form, the list and the test work", async ({ page, server, problems }) => {
    problems.expectUnfetched(/\.js$/);
    await logIn(page, server, "admin");
    await page.goto("/relays/new");
    await page.getByLabel("Name", { exact: false }).first().fill("Plain");
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByLabel("Port").fill(await startSink());
    await page.getByLabel("Encryption").selectOption("none");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page).toHaveURL(/\/relays(\?done=.*)?$/);
    await page.getByRole("link", { name: "Test connection" }).last().click();
    await expect(page.locator("main")).toContainText("The connection works");
  });
});

test("on the command line", async ({ server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const vestnik = (words: string[], input = "") =>
    spawnSync(BINARY, ["relay", ...words], { env, input, encoding: "utf8" });
  const here = ["--host", "127.0.0.1", "--port", await startSink(), "--tls", "none"];
  const added = vestnik(["add", "--name", "CLI", ...here, "--user", "anna", "--day", "1000", "--json"], "secret words\n");
  expect(added.status, added.stderr).toBe(0);
  expect(JSON.parse(added.stdout).id).toBeGreaterThan(0);
  const listed = execFileSync(BINARY, ["relay", "list", "--json"], { env, encoding: "utf8" });
  expect(listed).not.toContain("secret words");
  const row = JSON.parse(listed).find((relay: { settings: { name: string } }) => relay.settings.name === "CLI");
  expect(row.settings).toMatchObject({ user: "anna", has_password: true, limits: { day: 1000 } });
  const tried = vestnik(["test", "cli"]);
  expect(tried.status, tried.stderr).toBe(0);
  expect(tried.stdout).toContain("> AUTH PLAIN ********");
  const refused = vestnik(["add", "--name", "Dead", "--host", "127.0.0.1", "--port", "9", "--tls", "none"]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("host: TCP: nobody answers there");
  expect(vestnik(["remove", "CLI"]).status).toBe(0);
  expect(vestnik(["remove", "CLI"]).stderr).toContain("there is no mail server named CLI");
});
