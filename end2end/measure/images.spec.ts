// What files that are no honest pictures are answered with, and how much memory the service took for them at its peak.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { BINARY } from "../tests/support/command.ts";
import { logIn } from "../tests/support/demo.ts";
import { expect, test } from "../tests/support/test.ts";

const EDITOR = { email: "editor@example.org", password: "a long enough phrase" };

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG (RFC 2083) of one colour: few bytes, many pixels. It is whole unless it has fewer rows than it says. */
function png(width: number, height: number, depth: 8 | 16, rows = height): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, 6], 8);
  const pixels = deflateSync(Buffer.alloc(rows * (1 + (width * 4 * depth) / 8)), { level: 9 });
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A picture as the browser writes it. */
async function drawn(page: Page, type: string): Promise<Buffer> {
  const url = await page.evaluate((type) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2000, 1500];
    canvas.getContext("2d")!.fillRect(0, 0, 900, 700);
    return canvas.toDataURL(type);
  }, type);
  return Buffer.from(url.split(",")[1]!, "base64");
}

/** The JPEG with an EXIF block that tells a place (EXIF 2.3, GPSLatitudeRef). */
function tagged(jpeg: Buffer): Buffer {
  const tiff = "MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0PLACE";
  const exif = Buffer.from(`Exif\0\0${tiff}`, "latin1");
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** Megabytes of memory that a process had at its peak. */
function peak(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024);
}

test("bad pictures", async ({ page, server }) => {
  test.setTimeout(300_000);
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  const words = ["user", "add", "--email", EDITOR.email, "--name", "Olga", "--role", "editor"];
  execFileSync(BINARY, words, { env, input: EDITOR.password });
  await logIn(page, "en", EDITOR);
  const [jpeg, webp] = [await drawn(page, "image/jpeg"), await drawn(page, "image/webp")];
  const gif = Buffer.from("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=", "base64");
  const files: [string, Buffer][] = [
    ["an SVG file", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ["a truncated WebP", webp.subarray(0, webp.length / 2)],
    ["a GIF that is a ZIP and a script too", Buffer.concat([gif, Buffer.from("<script>alert(1)</script>PK\x03\x04")])],
    ["a JPEG that tells its place", tagged(jpeg)],
    ["a PNG of 100 megapixels", png(10_000, 10_000, 8)],
    ["a PNG of 36 megapixels, 16 bits deep", png(6_000, 6_000, 16)],
    ["a PNG of 40 megapixels, which is allowed", png(8_000, 5_000, 8)],
    ["a PNG that says it is 65 000 × 65 000", png(65_000, 65_000, 8, 1)],
    ["21 MB", Buffer.alloc(21 * 1024 * 1024)],
  ];
  console.log(`peak before: ${peak(server.pid)} MB`);
  for (const [name, buffer] of files) {
    await page.goto("/posts/images");
    await page.locator('input[type="file"]').setInputFiles({ name: "picture", mimeType: "image/png", buffer });
    await page.getByRole("button", { name: "Upload" }).click();
    const refused = page.locator('[id$="-error"]');
    const taken = page.locator('[role="status"]', { hasText: /\S/ });
    await expect(refused.or(taken).first()).toBeVisible({ timeout: 60_000 });
    const answer = (await refused.count()) ? await refused.first().innerText() : "taken";
    console.log(`${name} (${buffer.length} bytes): ${answer} Peak: ${peak(server.pid)} MB`);
    if (answer !== "taken") continue;
    const src = await page.locator("main li img").first().getAttribute("src");
    const bytes = await (await page.request.get(src!)).body();
    for (const word of ["PLACE", "Exif", "<script>"]) expect(bytes.includes(word), word).toBe(false);
  }
});
