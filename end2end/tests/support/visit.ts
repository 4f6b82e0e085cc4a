import { type Page, expect } from "@playwright/test";
import type { Problems } from "./problems.ts";
import type { Visit } from "./visits.ts";

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };
export type Theme = "light" | "dark";

/** Opens a page and does what its visit says; what the server refuses on the way as the visit says is no problem. */
export async function open(page: Page, visit: Visit, problems: Problems): Promise<void> {
  if (visit.status) problems.expect(new RegExp(visit.path.split("?")[0]!), visit.status);
  if (visit.refused) problems.expect(visit.refused, 422);
  const response = await page.goto(visit.path);
  expect(response?.status(), visit.path).toBe(visit.status ?? 200);
  await visit.act?.(page);
  await expect(page.locator("h1"), `one heading on ${visit.path}`).toHaveCount(1);
}

/** Makes the browser a stranger again. The page is left first: what it still asks for would be refused. */
export async function forget(page: Page): Promise<void> {
  await page.goto("about:blank");
  await page.context().clearCookies();
}

/** Shows the page as it stands in a theme and at a width, without loading it again. */
export async function dress(page: Page, theme: Theme, size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size);
  await page.evaluate(async (name) => {
    // No colour may be on its way to another while somebody looks, and axe judges no text that stands on an image: daisyUI's
    // grain on buttons is one, though none of it shows.
    if (document.adoptedStyleSheets.length === 0) {
      const still = new CSSStyleSheet();
      still.replaceSync("*, ::before, ::after { transition: none !important } .btn { background-image: none !important }");
      document.adoptedStyleSheets.push(still);
    }
    document.documentElement.setAttribute("data-theme", name);
    for (let n = 0; n < 2; n += 1) await new Promise((done) => requestAnimationFrame(done));
  }, `vestnik-${theme}`);
}

/** What stands out over the right edge of the window: nobody scrolls a page sideways. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => element.outerHTML.slice(0, 160))
      .slice(-3);
  });
}
