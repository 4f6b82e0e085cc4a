// Letters that look made for their sender: a design of one's own, a message with blocks and a picture, its preview, and what
// the review finds.
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { expect, test } from "./support/test.ts";
import { goSettled, shortcut } from "./support/settled.ts";
import type { Page } from "@playwright/test";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

/** A PNG of one colour. */
function png(width: number, height: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (data: Buffer) => (data.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([size, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([196, 110, 60]))]);
  const data = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function addClient(env: NodeJS.ProcessEnv, owner: string) {
  const file = join(mkdtempSync(join(tmpdir(), "clients-")), "clients.csv");
  writeFileSync(file, "email,full_name\nanna@example.org,Anna\n");
  execFileSync(BINARY, ["client", "import", "--owner", owner, file], { env });
}

const letter = (page: Page) => page.frameLocator("iframe");

test("a bakery makes a design and writes a letter in it", async ({ page, server, problems }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Mill Bakery"], { env, input: OWNER.password });
  addClient(env, OWNER.email);
  await logIn(page, "en", OWNER);

  // What is half typed is no letter yet, and the preview says why.
  problems.expect(/\/api\/(designs|messages)\/preview/, 422);
  // A design, begun from one that is there. What cannot be read is said while it is tried out.
  await goSettled(page, "/designs");
  await page.getByRole("link", { name: "Start from “Meadow”" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("New design");
  await expect(letter(page).getByText("Fresh on Friday")).toBeVisible();
  await page.locator('[name="form[text]"]').fill("#bbbbbb");
  await expect(page.getByText("Too little contrast between text and sheet")).toBeVisible();
  await page.locator('[name="form[text]"]').fill("#23312a");
  await page.locator('[name="form[name]"]').fill("Our newsletter");
  await page.getByLabel("Postal address").fill("Mill Lane 3\n12345 Milltown");
  await page.getByLabel("Social links").fill("https://t.me/mill");
  await expect(letter(page).getByText("12345 Milltown")).toBeVisible();
  await expect(letter(page).getByRole("link", { name: "Telegram" })).toBeVisible();
  await page.locator('input[type="file"]').setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: png(300, 80) });
  await expect(letter(page).locator("img.v-logo")).toHaveAttribute("width", "140");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Design saved.")).toBeVisible();

  // A message in it, with the toolbar and by keyboard; undo takes back what a button wrote.
  await goSettled(page, "/messages/new");
  await page.getByLabel("Design").selectOption({ label: "Our newsletter" });
  await page.getByLabel("Subject").fill("Bread for {{ full_name|default(\"you\") }}");
  await page.getByLabel("Preview text").fill("Still warm");
  const body = page.getByLabel("Body");
  await body.click();
  await page.keyboard.type("Hello ");
  await page.keyboard.press("Control+b");
  await page.keyboard.type("dear");
  await expect(body).toHaveValue("Hello **dear**");
  await page.keyboard.press("Control+End");
  await page.getByRole("button", { name: "Button", exact: true }).click();
  await expect(body).toHaveValue("Hello **dear**\n\n::button[Text](https://)");
  await body.press("Control+z");
  await expect(body).toHaveValue("Hello **dear**");
  await body.fill("Hello **dear**\n\n::button[Order](https://mill.example/order)\n\n:::columns\nleft\n:::next\nright\n:::\n");
  await page.locator('main input[type="file"]').setInputFiles({ name: "bread.png", mimeType: "image/png", buffer: png(1200, 600) });
  await page.locator("#describe-alt").fill("A loaf");
  await page.getByRole("dialog").locator("button[type=submit]").click();
  await expect(body).toHaveValue(/::picture\[A loaf\]\(\/images\/[0-9a-f]{32}\/960 width=536\)/);

  // The preview follows, wide and narrow, in the dark and without pictures.
  const sheet = letter(page).locator(".v-paper");
  await expect(letter(page).getByRole("link", { name: "Order" })).toBeVisible();
  await expect(letter(page).locator("img[alt='A loaf']")).toHaveJSProperty("complete", true);
  await expect(page.getByText("Still warm")).toBeVisible();
  await page.getByRole("button", { name: "Phone" }).click();
  await expect.poll(async () => (await sheet.boundingBox())?.width).toBeLessThan(360);
  const light = await sheet.evaluate((cell) => getComputedStyle(cell).backgroundColor);
  await page.getByRole("button", { name: "Dark" }).click();
  await expect.poll(() => sheet.evaluate((cell) => getComputedStyle(cell).backgroundColor)).not.toBe(light);
  await page.getByRole("button", { name: "No pictures" }).click();
  await expect(letter(page).locator("img[src]")).toHaveCount(0);
  await page.getByRole("button", { name: "Text", exact: true }).click();
  await expect(page.locator("pre", { hasText: "Order <https://mill.example/order>" })).toBeVisible();
  await shortcut(page, "Control+s");
  await expect(page.getByText("The message is saved.")).toBeVisible();

  // A list shows the subject filled in.
  await goSettled(page, "/messages");
  await expect(page.getByRole("link", { name: "Bread for Anna Kim", exact: true })).toBeVisible();
  await expect(page.locator("main")).not.toContainText("{{");

  // The review has nothing to mend, and says so.
  const id = /\/messages\/(\d+)/.exec((await page.getByRole("link", { name: "Bread for Anna Kim", exact: true }).getAttribute("href"))!)![1];
  await goSettled(page, `/mailings/new?message=${id}&clients=all&start=now&end=2099-12-31T10:00&zone=UTC&period=once&policy=resend&step=review`);
  await expect(page.getByText("Nothing to mend: ready to send.")).toBeVisible();
  expect(execFileSync(BINARY, ["message", "check", id, "--json"], { env }).toString().trim()).toBe("[]");
});

test("a starter is written in a moment, and the review says what is left to do", async ({ page, server }) => {
  // The test above may have made the other one on the same server.
  const owner = { ...OWNER, email: "second@example.org" };
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", owner.email, "--name", "Mill Bakery"], { env, input: OWNER.password });
  addClient(env, owner.email);
  await logIn(page, "en", owner);
  await goSettled(page, "/messages/starters");
  await page.getByRole("link", { name: "Start with “Invitation”" }).click();
  await expect(page.getByLabel("Subject")).toHaveValue(/You are invited/);
  await expect(letter(page).getByRole("link", { name: "I will come" })).toBeVisible();
  await shortcut(page, "Control+s");
  await expect(page.getByText("The message is saved.")).toBeVisible();
  const id = /\/messages\/(\d+)/.exec(page.url())![1];
  await goSettled(page, `/mailings/new?message=${id}&clients=all&start=now&end=2099-12-31T10:00&zone=UTC&period=once&policy=resend&step=review`);
  await expect(page.getByText("The design has no postal address")).toBeVisible();
  await expect(page.getByText(/^Line \d+: this address is from the example text/).first()).toBeVisible();
  let code = 0;
  let said = "";
  try {
    execFileSync(BINARY, ["message", "check", id, "--json"], { env, stdio: "pipe" });
  } catch (error) {
    const failed = error as { status: number; stdout: Buffer };
    [code, said] = [failed.status, failed.stdout.toString()];
  }
  expect(code).toBe(1);
  expect(JSON.parse(said)[0]).toEqual({ level: "red", key: "checks.address", line: 0, detail: "" });
});
