// axe finds nothing on the pages that anybody can open, in either theme and either language.
import { expectAccessible } from "./support/axe.ts";
import { expect, test } from "./support/test.ts";

for (const lang of ["en", "ru"]) {
  for (const theme of ["light", "dark"]) {
    test(`public pages, ${lang}, ${theme}`, async ({ page }) => {
      await page.goto(`/language?to=${lang}&next=/`);
      await page.goto(`/theme?to=${theme}&next=/`);
      for (const path of ["/", "/login", "/signup", "/signup/sent", "/outbox"]) {
        await page.goto(path);
        await expect(page.locator("html")).toHaveAttribute("lang", lang);
        await expect(page.locator("h1")).toHaveCount(1);
        await expectAccessible(page);
      }
    });
  }
}
