// What a first visit to the home page costs, and that the page does not wait for it.
import type { Page } from "@playwright/test";
import { calm } from "./support/demo-test.ts";
import { expect } from "./support/test.ts";

/** Most bytes of compiled code, as they are transferred. */
const WASM_MAX = 250_000;

const KINDS: [string, RegExp][] = [
  ["HTML", /^text\/html/],
  ["CSS", /^text\/css/],
  ["JavaScript", /javascript/],
  ["wasm", /^application\/wasm/],
  ["texts", /^application\/json/],
  ["fonts", /^font\//],
  ["images", /^image\//],
];

/** Bytes of the bodies that a page transfers until it has come alive, by kind. */
async function transferred(page: Page, path: string): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  const measured: Promise<void>[] = [];
  page.on("requestfinished", (request) => {
    measured.push(
      (async () => {
        const response = await request.response();
        const type = response?.headers()["content-type"] ?? "";
        if (type.startsWith("text/event-stream")) return;
        const kind = KINDS.find(([, pattern]) => pattern.test(type))?.[0] ?? type;
        const { responseBodySize } = await request.sizes();
        // Not before: another answer of the kind may have been added meanwhile.
        sums[kind] = (sums[kind] ?? 0) + responseBodySize;
      })(),
    );
  });
  // The page opens it once it is alive.
  const alive = page.waitForRequest("**/events/home");
  await page.goto(path);
  await alive;
  await Promise.all(measured);
  return sums;
}

calm("the first view of the home page keeps to its budget", async ({ page }) => {
  const sums = await transferred(page, "/");
  const lines = KINDS.map(([kind]) => `${kind.padEnd(10)} ${String(sums[kind] ?? 0).padStart(8)}`);
  console.log(["bytes of the first view of the home page:", ...lines].join("\n"));
  expect(Object.keys(sums).sort()).toEqual(KINDS.map(([kind]) => kind).sort());
  expect(sums.wasm).toBeLessThanOrEqual(WASM_MAX);
});

calm("the home page is complete and usable before its wasm has come", async ({ page }) => {
  // Held back for good.
  await page.route("**/*.wasm", () => {});
  await page.goto("/");
  await expect(page.locator("dl dd")).toHaveText([/\d/, /\d/, /\d/]);
  await expect(page.locator("article")).toHaveCount(3);
  await page.getByRole("link", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "vestnik-dark");
  await page.getByRole("link", { name: "Русский" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
  await page.locator("main .btn-primary").first().click();
  await expect(page).toHaveURL(/\/signup$/);
  await page.locator('input[name="form[email]"]').fill("visitor@example.org");
});
