import { expectAccessible } from "./support/axe.ts";
import { expect, test } from "./support/test.ts";

test("the home page is there, whole and accessible", async ({ page }) => {
  const response = await page.goto("/");
  expect(response?.status()).toBe(200);
  await expect(page.locator("h1")).toHaveCount(1);
  await expectAccessible(page);
});
