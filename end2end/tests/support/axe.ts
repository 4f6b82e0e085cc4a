import { type Page, expect } from "@playwright/test";
import axe from "axe-core";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What axe finds on the page as it stands, WCAG 2.2 AA. The inside of a frame is a letter, which somebody else wrote, and
 * no script may run there; the frame itself is looked at. */
export async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (tags) => (window as unknown as { axe: typeof axe }).axe.run({ iframes: false, runOnly: tags, resultTypes: ["violations"] }),
    TAGS,
  );
  return violations.map((v) => `${v.id}: ${v.nodes.map((node) => `${node.html} (${node.failureSummary})`).join(" | ")}`);
}

/** Fails on anything that axe finds. */
export async function expectAccessible(page: Page): Promise<void> {
  expect(await findings(page)).toEqual([]);
}
