// What managers see and stop: in one browser the manager, in another the owner of the mailing, who looks on.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { freePort, isListening } from "./support/ports.ts";
import { Server } from "./support/server.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";
const CLIENTS = 2000;
const OWNER = "owner@example.net";
const OTHER = "other@example.net";

/** A service with a manager and two owners, each with a mailing, and a mail server that takes its time. */
class Scene {
  private constructor(
    readonly server: Server,
    readonly sink: ChildProcess,
    readonly ledger: string,
  ) {}

  static async start(): Promise<Scene> {
    const port = await freePort();
    let sink: ChildProcess | undefined;
    let ledger = "";
    // Mass mail needs an https address.
    const env = { VESTNIK_SMTP_URL: `smtp://127.0.0.1:${port}?tls=none&connections=2`, VESTNIK_PUBLIC_URL: "https://vestnik.example" };
    const server = await Server.start(env, (dataDir) => {
      const [faults, letters] = [join(dataDir, "faults"), (ledger = join(dataDir, "ledger"))];
      writeFileSync(faults, "slow*@example.org dot delay 100ms\n");
      sink = spawn(BINARY, ["sink", "--listen", `127.0.0.1:${port}`, "--faults", faults, "--ledger", letters], { stdio: "ignore" });
      for (const role of ["manager", "admin"]) addUser(dataDir, `${role}@example.net`, role);
      for (const email of [OWNER, OTHER]) addUser(dataDir, email, "user");
      addMailing(dataDir, OWNER, "Autumn", Array.from({ length: CLIENTS }, (_, n) => `slow${n}@example.org`));
    });
    await isListening(port);
    return new Scene(server, sink!, ledger);
  }

  /** The recipients of all letters that have left, by the mail server's own book. */
  recipients(): string[] {
    const lines = readFileSync(this.ledger, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line).recipient);
  }

  /** Letters of the owner's mailing that have left. */
  left(): number {
    return this.recipients().filter((recipient) => recipient.startsWith("slow")).length;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.sink.kill("SIGTERM");
  }
}

const settings = (dataDir: string) => ({ ...process.env, VESTNIK_DATA_DIR: dataDir });

function addUser(dataDir: string, email: string, role: string): void {
  const words = ["user", "add", "--email", email, "--name", email.split("@")[0]!, "--role", role];
  execFileSync(BINARY, words, { env: settings(dataDir), input: PASSWORD });
}

/** A mailing that starts now. */
function addMailing(dataDir: string, owner: string, subject: string, clients: string[]): void {
  const [csv, body] = [join(dataDir, `${subject}.csv`), join(dataDir, `${subject}.md`)];
  writeFileSync(csv, `email\n${clients.join("\n")}\n`);
  writeFileSync(body, "Hello");
  const run = (...words: string[]) => execFileSync(BINARY, words, { env: settings(dataDir), encoding: "utf8" });
  run("client", "import", "--owner", owner, csv, "--json");
  const message = run("message", "add", "--owner", owner, "--subject", subject, "--body-file", body, "--json");
  const window = ["--start", "now", "--end", "2099-01-01T00:00:00Z", "--zone", "Europe/Moscow", "--clients", "all"];
  run("mailing", "add", "--owner", owner, "--message", String(JSON.parse(message).id), ...window, "--json");
}

async function logIn(page: Page, email: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function browserOf(browser: Browser, scene: Scene, email: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: scene.server.url, locale: "en-GB" });
  const page = await context.newPage();
  await logIn(page, email);
  await expect(page).toHaveURL(/\/overview$/);
  return page;
}

test("a manager disables a running mailing and blocks its owner, who looks on", async ({ browser, problems }) => {
  const scene = await Scene.start();
  try {
    const owner = await browserOf(browser, scene, OWNER);
    const manager = await browserOf(browser, scene, "manager@example.net");
    await owner.getByRole("link", { name: "Autumn" }).first().click();
    await expect(owner.getByRole("heading", { level: 1 })).toHaveText("Autumn");
    await expect.poll(() => scene.left()).toBeGreaterThan(3);

    // The manager finds it among all, and can do nothing with it but stop it.
    await manager.getByRole("link", { name: "All mailings" }).first().click();
    await expectAccessible(manager);
    await manager.getByRole("row").filter({ hasText: OWNER }).getByRole("link", { name: "Autumn" }).click();
    await expect(manager.getByText(`A mailing of ${OWNER}`)).toBeVisible();
    for (const name of ["Edit", "Pause", "Delete", "Duplicate"]) {
      await expect(manager.locator("main").getByText(name, { exact: true })).toHaveCount(0);
    }
    await manager.getByText("Disable", { exact: true }).first().click();
    const dialog = manager.getByRole("dialog");
    await dialog.getByRole("button", { name: "Disable" }).click();
    await dialog.getByLabel("Reason").fill("Complaints about <spam>");
    await dialog.getByRole("button", { name: "Disable" }).click();
    await expect(manager.getByText("The mailing is disabled: nothing more of it leaves.")).toBeVisible();
    const atTheStop = scene.left();

    // The owner's open page says so by itself: who, and why.
    await expect(owner.getByTestId("stopped")).toContainText("Stopped by manager");
    await expect(owner.getByTestId("stopped")).toContainText("Complaints about <spam>");
    await expectAccessible(owner);

    // Meanwhile another's mailing goes through, so sending works; of the disabled one no letter leaves but those
    // that were in the two connections' hands.
    addMailing(scene.server.dataDir, OTHER, "Winter", ["a@example.com", "b@example.com", "c@example.com"]);
    await expect.poll(() => scene.recipients().filter((to) => to.endsWith("@example.com")).length, { timeout: 60_000 }).toBe(3);
    expect(scene.left()).toBeLessThanOrEqual(atTheStop + 2);
    const stopped = scene.left();

    // The owner is blocked; the open page says that too, and the next click is refused.
    await manager.getByRole("link", { name: `A mailing of ${OWNER}` }).click();
    await expect(manager.getByRole("button", { name: `Block ${OWNER}` })).toBeVisible();
    await expectAccessible(manager);
    problems.watch(owner.context());
    problems.expect(/\/events\/mailings\/1/, 403);
    problems.expect(/\/api\//, 403);
    problems.expect(/\/mailings/, 403);
    await manager.getByLabel("Reason").fill("Does not answer");
    await manager.getByRole("button", { name: `Block ${OWNER}` }).click();
    await expect(manager.getByText("The user is blocked.")).toBeVisible();
    await expect(owner.getByRole("heading", { name: "Your account is blocked" })).toBeVisible();
    await expect(owner.getByRole("alert").filter({ hasText: "Does not answer" })).toContainText("write to ");
    // Nothing is offered that would be refused.
    await expect(owner.getByRole("button", { name: "Pause" })).toBeHidden();
    for (const [path, offer] of [["/mailings", "New mailing"], ["/clients", "Import"], ["/messages", "New message"]] as const) {
      problems.expect(new RegExp(path), 403);
      expect((await owner.goto(path))!.status()).toBe(403);
      await expect(owner.getByRole("heading", { name: "Your account is blocked" })).toBeVisible();
      await expect(owner.getByRole("alert").filter({ hasText: "Does not answer" })).toBeVisible();
      await expect(owner.locator("main").getByText(offer, { exact: true })).toBeHidden();
    }
    await expectAccessible(owner);

    // Enabled again, it stays where it is: its owner is blocked.
    await manager.goto("/mailings/1");
    await manager.getByRole("button", { name: "Enable" }).click();
    await expect(manager.getByText("Mailing resumed.")).toBeVisible();
    addMailing(scene.server.dataDir, OTHER, "Spring", ["d@example.com", "e@example.com"]);
    await expect.poll(() => scene.recipients().includes("e@example.com"), { timeout: 60_000 }).toBe(true);
    expect(scene.left()).toBe(stopped);
    // The owner was written to, twice.
    await expect.poll(() => scene.recipients().filter((to) => to === OWNER).length).toBe(2);

    // Out, and not in again.
    problems.expect(/\/api\/login/, 422);
    await owner.getByRole("button", { name: "Log out" }).click();
    await logIn(owner, OWNER);
    await expect(owner.getByText(/blocked/).first()).toBeVisible();
    await expect(owner).toHaveURL(/\/login/);

    // Nobody blocks an administrator or themself.
    for (const email of ["admin@example.net", "manager@example.net"]) {
      await manager.goto(`/users?q=${email}`);
      await manager.locator("main").getByRole("link", { name: email.split("@")[0]! }).first().click();
      await expect(manager.locator("main").getByText(email).first()).toBeVisible();
      await expect(manager.getByRole("button", { name: /^Block / })).toHaveCount(0);
    }

    // All of it stands in the log. Unblocked, the owner gets in again; what was not sent meanwhile stays so.
    await manager.goto("/audit");
    await expectAccessible(manager);
    for (const act of ["Mailing disabled", "User blocked", "Mailing enabled"]) {
      await expect(manager.locator("main tbody").getByText(act, { exact: true }).first()).toBeVisible();
    }
    await manager.goto(`/users?q=${OWNER}`);
    await manager.locator("main").getByRole("link", { name: "owner" }).first().click();
    await manager.getByRole("button", { name: "Unblock" }).click();
    await expect(manager.getByText("The user is let in again.")).toBeVisible();
    await logIn(owner, OWNER);
    await expect(owner).toHaveURL(/\/overview$/);
    await owner.getByRole("link", { name: "Autumn" }).first().click();
    await owner.getByRole("link", { name: "Not sent", exact: true }).click();
    await expect(owner.getByText("The owner was blocked").first()).toBeVisible();
    expect(scene.left()).toBe(stopped);
    for (const page of [owner, manager]) await page.context().close();
  } finally {
    await scene.stop();
  }
});
