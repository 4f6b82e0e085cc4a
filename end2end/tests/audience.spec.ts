// Whom a mailing is for: nobody before somebody chooses, and what is chosen lives as long as the address does.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { goSettled, settled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };
const search = (page: Page) => page.getByLabel("Search among the clients");
const choice = (page: Page, name: RegExp) => page.getByRole("radio", { name });
const CONTINUE = { name: /^Continue/ };

test("a search that is typed is what gets the message, through Back, a reload and a new tab", async ({ page, context, server }) => {
  const folder = server.dataDir;
  const env = { ...process.env, VESTNIK_DATA_DIR: folder };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8", input: OWNER.password });
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  run("user", "add", "--email", OWNER.email, "--name", "Anna");
  const people = Array.from({ length: 40 }, (_, n) => `client${n}@example.org;${n % 20 ? "bread" : "cakes"}`);
  run("client", "import", "--owner", OWNER.email, write("clients.csv", `email;comment\n${people.join("\n")}\n`));
  run("message", "add", "--owner", OWNER.email, "--subject", "Hello", "--body-file", write("body.md", "Hello"));

  await page.goto("/login");
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);
  await goSettled(page, "/mailings/new");
  await page.getByLabel("Title").fill("Cakes of the week");
  await settled(page, () => page.getByRole("button", CONTINUE).click());

  // Nobody is chosen, and nobody goes on.
  await expect(page.getByRole("radio", { checked: true })).toHaveCount(0);
  await expect(choice(page, /^All clients\s*40 clients$/)).toBeVisible();
  await expect(page.getByRole("button", CONTINUE)).toHaveText("Continue");
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await expect(page.getByRole("alert").filter({ hasText: "Choose the clients." })).toBeVisible();

  // To type is to choose; the count stands beside it and on the button.
  await search(page).fill("cakes");
  await expect(choice(page, /^Clients found by a search/)).toBeChecked();
  await expect(choice(page, /2 clients$/)).toBeChecked();
  await expect(page.getByRole("button", CONTINUE)).toHaveText("Continue with 2 clients");
  await expectAccessible(page);
  await choice(page, /^All clients/).check();
  await expect(page.getByRole("button", CONTINUE)).toHaveText("Continue with 40 clients");
  await choice(page, /^Clients found by a search/).check();
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await expect(page.getByLabel("Stop sending at")).toBeVisible();

  // Back and on, a reload, another tab.
  const chosen = async (where: Page) => {
    await expect(choice(where, /^Clients found by a search\s*2 clients$/)).toBeChecked();
    await expect(search(where)).toHaveValue("cakes");
    await expect(where.getByRole("button", CONTINUE)).toHaveText("Continue with 2 clients");
  };
  await settled(page, () => page.goBack());
  await chosen(page);
  await settled(page, () => page.reload());
  await chosen(page);
  const other = await context.newPage();
  await goSettled(other, page.url());
  await chosen(other);
  await other.close();

  // What is typed lives before it goes anywhere; and our own Back and the steps above keep it too.
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await page.getByLabel("Stop sending at").fill("2099-12-31T10:00");
  await expect(page).toHaveURL(/end=2099-12-31T10(%3A|:)00/);
  await settled(page, () => page.getByRole("button", { name: "Back", exact: true }).click());
  await chosen(page);
  await settled(page, () => page.getByRole("link", { name: "Message", exact: true }).click());
  await expect(page.getByLabel("Title")).toHaveValue("Cakes of the week");
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await chosen(page);
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await expect(page.getByLabel("Stop sending at")).toHaveValue("2099-12-31T10:00");
  await page.getByRole("radio", { name: /^Now/ }).check();
  await settled(page, () => page.getByRole("button", CONTINUE).click());
  await page.getByRole("button", { name: "Send now to 2 people" }).click();
  await expect(page.getByRole("dialog")).toContainText("Send now to 2 people?");
});
