// Topics: an owner makes them and writes about one; its reader leaves that alone and asks for another, without scripts; the
// client's page tells.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectAccessible } from "./support/axe.ts";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { goSettled, settled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

test("a reader leaves one topic and asks for another", async ({ page, browser, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8", input: OWNER.password });
  const file = (name: string, text: string): string => {
    writeFileSync(join(server.dataDir, name), text);
    return join(server.dataDir, name);
  };
  run("user", "add", "--email", OWNER.email, "--name", "Anna");
  run("client", "import", "--owner", OWNER.email, file("clients.csv", "email\nreader@example.org\n"));
  run("message", "add", "--owner", OWNER.email, "--subject", "Hello", "--body-file", file("body.md", "Hello"));
  await logIn(page, "en", OWNER);
  for (const [name, who] of [["News", "Everyone, unless they leave it"], ["Offers", "Only those who asked for it"]] as const) {
    await goSettled(page, "/topics/new");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("radio", { name: who }).check();
    await settled(page, () => page.getByRole("button", { name: "Save" }).click());
    await expect(page.getByRole("link", { name, exact: true })).toBeVisible();
  }
  await expectAccessible(page);

  await goSettled(page, "/mailings/new");
  await settled(page, () => page.getByRole("button", { name: /^Continue/ }).click());
  await page.getByRole("radio", { name: /^All clients/ }).check();
  await page.getByLabel("Topic").selectOption("News");
  await settled(page, () => page.getByRole("button", { name: /^Continue/ }).click());
  await page.getByLabel("Stop sending at").fill("2099-12-31T10:00");
  await settled(page, () => page.getByRole("button", { name: /^Continue/ }).click());
  await expect(page.locator("dl", { hasText: "Topic" })).toContainText("News");
  await page.locator("#ask-save-open").click();
  await page.locator("#ask-save button[type=submit]").click();
  await expect(page).toHaveURL(/\/mailings\/\d+/);

  // Whoever sits at this machine reads what was caught.
  let link = "";
  await expect(async () => {
    const letter = /href="(\/outbox\/\d+)"/.exec(await (await page.request.get("/outbox")).text())?.[1];
    const source = await (await page.request.get(`${letter}/source`)).text();
    link = /\/u\/[a-z2-7]{40}/.exec(source)?.[0] ?? "";
    expect(link).not.toBe("");
  }).toPass();

  const reader = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const theirs = await reader.newPage();
  await theirs.goto(link);
  await expect(theirs.getByRole("button", { name: "Unsubscribe from everything by this sender" })).toBeVisible();
  await expect(theirs.getByRole("checkbox", { name: "News" })).toBeChecked();
  await theirs.getByRole("button", { name: "Unsubscribe from “News”" }).click();
  await expect(theirs.getByRole("status")).toHaveText("You will get no more emails about “News”.");
  await theirs.getByRole("checkbox", { name: "Offers" }).check();
  await theirs.getByRole("button", { name: "Save my choice" }).click();
  await expect(theirs.getByRole("checkbox", { name: "Offers" })).toBeChecked();
  await expect(theirs.getByRole("checkbox", { name: "News" })).not.toBeChecked();
  await reader.close();

  await goSettled(page, "/clients");
  await settled(page, () => page.getByRole("link", { name: "reader@example.org" }).click());
  await expect(page.getByText("News — unsubscribed")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Offers" })).toBeChecked();
  await expectAccessible(page);
});
