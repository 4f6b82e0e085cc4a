// A page that comes alive is left alone: a link that is followed meanwhile loads its page from the server.
import { expect, test } from "./support/test.ts";

test("a link that is followed while its page comes alive is the browser's", async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  let parts = 0;
  // The main module comes; the part that the page itself is in does not, so that the page is taken over by half.
  await page.route(/\.wasm$/, async (route) => {
    if (!route.request().url().endsWith("vestnik_bg.wasm")) {
      parts += 1;
      await held;
    }
    await route.continue().catch(() => undefined);
  });
  await page.goto("/login");
  await expect.poll(() => parts).toBeGreaterThan(0);
  const loaded = page.waitForRequest((request) => request.isNavigationRequest() && request.url().endsWith("/forgot"));
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await loaded;
  release();
  await page.waitForSelector("html[data-hydrated]", { state: "attached" });
  await page.getByLabel("Email").fill("nobody@example.org");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page).toHaveURL(/\/forgot\/sent$/);
});
