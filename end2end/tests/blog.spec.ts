// The blog: an editor writes, schedules and publishes; a visitor reads, in both languages.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type Page } from "@playwright/test";
import { expectAccessible } from "./support/axe.ts";
import { shortcut } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";
import { BINARY } from "./support/command.ts";
import type { Server } from "./support/server.ts";

const PASSWORD = "a long enough phrase";

/** A picture as a browser makes one: 1200 × 800, with a line across. */
async function drawn(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1200, 800];
    const pen = canvas.getContext("2d")!;
    pen.fillStyle = "#d9481c";
    pen.fillRect(0, 0, 1200, 800);
    pen.fillStyle = "#fff";
    pen.fillRect(100, 380, 1000, 40);
    return canvas.toDataURL("image/jpeg").split(",")[1]!;
  });
  return Buffer.from(base64, "base64");
}

function addEditor(server: Server, email: string): void {
  const args = ["user", "add", "--email", email, "--name", "Olga Editor", "--role", "editor"];
  execFileSync(BINARY, args, { input: `${PASSWORD}\n`, env: { ...process.env, VESTNIK_DATA_DIR: server.dataDir } });
}

async function logIn(page: Page, email: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);
}

/** Saves a post. The note of the save before may still stand there: what counts is the answer. */
async function saves(page: Page, act: () => Promise<void>): Promise<void> {
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/posts/save"));
  await act();
  expect((await answer).status()).toBeLessThan(400);
  await expect(page.getByText("The post is saved.").first()).toBeVisible();
}

test("an editor writes, schedules and publishes; a visitor reads in both languages", async ({ page, browser, server, problems }) => {
  addEditor(server, "editor@example.org");
  await logIn(page, "editor@example.org");
  await page.goto("/posts");
  await expect(page.getByText("No posts yet")).toBeVisible();
  await expectAccessible(page);

  // Typed, kept by itself, still there after a reload.
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill("Письмо, которое ждут");
  await page.getByLabel("Summary").fill("О теме письма.");
  await page.getByLabel("Text", { exact: false }).first().fill("# Начало\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\n");
  await expect(page.locator(".markdown h2")).toHaveText("Начало");
  await expect(page.getByText("Draft kept")).toBeVisible();
  await page.reload();
  await expect(page.getByText("You see what you typed and had not saved.")).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("Письмо, которое ждут");

  // A picture: asked what it shows, then inserted where the cursor stands.
  const chooser = page.getByLabel("Add a picture");
  problems.expect(/\/posts\/images\/upload$/, 422);
  await chooser.setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from("<svg></svg>") });
  await expect(page.getByText(/This is a SVG file/)).toBeVisible();
  await chooser.setInputFiles({ name: "a.jpg", mimeType: "image/jpeg", buffer: await drawn(page) });
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("What does the picture show?");
  await dialog.getByLabel("Description").fill("A white line on red");
  await dialog.getByRole("button", { name: "Insert" }).click();
  await expect(page.locator(".markdown img")).toHaveAttribute("alt", "A white line on red");
  await expectAccessible(page);

  // Stored as a draft: nobody else sees it.
  await page.getByLabel("Language of the post").selectOption("ru");
  await page.getByLabel("Tags").fill("SMTP, Темы");
  await shortcut(page, "Control+s");
  await expect(page).toHaveURL(/\/posts\/\d+(\?done=.*)?$/);
  const editor = new URL(page.url()).pathname;
  problems.expect(/\/blog\/pismo/, 404);
  const visitor = await browser.newContext({ baseURL: server.url, locale: "ru-RU" });
  problems.watch(visitor);
  const reader = await visitor.newPage();
  const missing = await reader.goto("/blog/pismo-kotoroe-zhdut");
  expect(missing!.status()).toBe(404);
  await expect(reader.getByRole("link", { name: "Все посты" })).toBeVisible();

  // Scheduled far ahead, then published.
  await page.getByLabel("Publish at a set time").check();
  await page.getByLabel("Date and time").fill("2099-01-01T10:00");
  await saves(page, () => page.getByRole("button", { name: "Save" }).click());
  await page.goto("/posts?state=scheduled");
  await expect(page.getByRole("link", { name: "Письмо, которое ждут" })).toBeVisible();
  await expectAccessible(page);
  await page.goto(editor);
  await page.getByLabel("Publish now").check();
  await saves(page, () => page.getByRole("button", { name: "Save" }).click());
  // The page goes on from the version that it has stored.
  await page.getByLabel("Summary").fill("О теме письма и не только.");
  await saves(page, () => shortcut(page, "Control+s"));

  // The visitor reads it, in Russian and in English.
  await reader.goto("/blog");
  await reader.getByRole("link", { name: "Письмо, которое ждут" }).click();
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText("Письмо, которое ждут");
  await expect(reader.locator(".markdown td").last()).toHaveClass("text-right");
  await expect(reader.locator(".markdown img")).toHaveJSProperty("complete", true);
  await expect(reader.locator("article")).toContainText("автор: Olga Editor");
  await reader.reload();
  const data = await reader.locator('script[type="application/ld+json"]').textContent();
  expect(JSON.parse(data!).headline).toBe("Письмо, которое ждут");
  await expect(reader.locator('link[rel="canonical"]')).toHaveAttribute("href", `${server.url}/blog/pismo-kotoroe-zhdut`);
  await expect(reader.locator('meta[property="og:type"]')).toHaveAttribute("content", "article");
  for (const theme of ["light", "dark"]) {
    for (const lang of ["ru", "en"]) {
      await reader.goto(`/theme?to=${theme}&next=/`);
      for (const path of ["/", "/blog?lang=all", "/blog/pismo-kotoroe-zhdut"]) {
        await reader.goto(`/language?to=${lang}&next=${encodeURIComponent(path)}`);
        await expect(reader.locator("html")).toHaveAttribute("lang", lang);
        await expect(reader.locator("h1")).toHaveCount(1);
        await expectAccessible(reader);
      }
    }
  }
  await expect(reader.locator("article")).toContainText("by Olga Editor");

  // Renamed: the old address leads to the new one.
  await page.getByLabel("Address").fill("new-address");
  await saves(page, () => shortcut(page, "Control+s"));
  await expect.poll(async () => (await reader.request.get("/blog/pismo-kotoroe-zhdut", { maxRedirects: 0 })).status()).toBe(308);
  await reader.goto("/blog/pismo-kotoroe-zhdut");
  await expect(reader).toHaveURL(/\/blog\/new-address$/);

  // The picture is kept for good, and can run nothing.
  const src = await reader.locator(".markdown img").getAttribute("src");
  const image = await reader.request.get(src!);
  expect(image.headers()["cache-control"]).toContain("immutable");
  expect(image.headers()["content-security-policy"]).toBe("default-src 'none'; sandbox");
  expect(image.headers()["x-content-type-options"]).toBe("nosniff");

  // Every view is counted: the reader's, and neither the author's nor a bot's.
  await page.goto("/blog/new-address");
  await reader.request.get("/blog/new-address", { headers: { "user-agent": "Examplebot/1.0" } });
  await expect
    .poll(async () => {
      await page.goto("/posts");
      return page.getByRole("row").nth(1).getByRole("cell").nth(3).innerText();
    }, { timeout: 20_000 })
    .toMatch(/\b7$/);

  // History, and a message out of the post.
  await page.goto(`${editor}/history?version=1`);
  await expect(page.getByRole("heading", { name: "What changed since version 1" })).toBeVisible();
  await expectAccessible(page);
  await page.goto("/posts");
  await page.getByRole("button", { name: "Turn into a message" }).click();
  await expect(page).toHaveURL(/\/messages\/\d+/);
  await expect(page.getByLabel("Subject")).toHaveValue("Письмо, которое ждут");
  await expect(page.getByLabel("Body")).toHaveValue(new RegExp(`${server.url}/images/`));
  await visitor.close();
});

test("two editors at once: the second is told, and both changes are joined", async ({ page, browser, server, problems }) => {
  addEditor(server, "second@example.org");
  await logIn(page, "second@example.org");
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill("Two hands");
  await page.getByLabel("Text", { exact: false }).first().fill("One\n\nTwo\n\nThree");
  await shortcut(page, "Control+s");
  await expect(page).toHaveURL(/\/posts\/\d+(\?done=.*)?$/);

  addEditor(server, "third@example.org");
  const other = await browser.newContext({ baseURL: server.url, locale: "en-GB" });
  problems.watch(other);
  const late = await other.newPage();
  await logIn(late, "third@example.org");
  await late.goto(new URL(page.url()).pathname);
  await page.getByLabel("Text", { exact: false }).first().fill("ONE\n\nTwo\n\nThree");
  await saves(page, () => shortcut(page, "Control+s"));
  await late.getByLabel("Text", { exact: false }).first().fill("One\n\nTwo\n\nThree\n\nFour");
  await shortcut(late, "Control+s");
  await expect(late.getByRole("heading", { level: 1 })).toHaveText("Somebody else changed this post");
  await expect(late.getByRole("textbox", { name: "Text" })).toHaveValue("ONE\n\nTwo\n\nThree\n\nFour");
  await expectAccessible(late);
  await saves(late, () => late.getByRole("button", { name: "Save" }).click());
  await other.close();
});

test("the home page's figures tick while a mailing starts elsewhere", async ({ page, server }) => {
  await page.goto("/");
  const figures = page.locator("dl dd");
  const [mailings, active, clients] = (await figures.allInnerTexts()).map((text) => Number(text.replace(/\D/g, "")));
  const owner = "ticking@example.org";
  addEditor(server, owner);
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const run = (...words: string[]) => execFileSync(BINARY, words, { env, encoding: "utf8" });
  const csv = `${server.dataDir}/two.csv`;
  writeFileSync(csv, "Email,Full name\nx@example.org,X\ny@example.org,Y\n");
  run("client", "import", "--owner", owner, csv);
  await expect(figures.nth(2)).toHaveText(String(clients! + 2));
  const body = `${server.dataDir}/body.md`;
  writeFileSync(body, "Hello {{ full_name }}");
  const made = run("message", "add", "--owner", owner, "--subject", "Tick", "--body-file", body, "--json");
  const message = String(JSON.parse(made).id);
  // Daily, so that it goes on when its first run is over.
  const window = ["--start", "now", "--end", "2099-01-01T00:00:00Z", "--period", "daily"];
  run("mailing", "add", "--owner", owner, "--message", message, "--clients", "all", ...window);
  await expect(figures).toHaveText([String(mailings! + 1), String(active! + 1), String(clients! + 2)]);
});
