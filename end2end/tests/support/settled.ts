import type { Page, Request, Response } from "@playwright/test";

/** Streams of live events stay open. */
const counts = (request: Request) => request.resourceType() !== "eventsource";

/** Does what loads a page, and waits until the page's script has taken it over (`data-hydrated`, src/lib.rs) and all that
 * it asked the server for has been answered and drawn. */
export async function settled<T>(page: Page, load: () => Promise<T>): Promise<T> {
  const open = new Set<Request>();
  const begin = (request: Request) => void (counts(request) && open.add(request));
  const end = (request: Request) => void open.delete(request);
  page.on("request", begin).on("requestfinished", end).on("requestfailed", end);
  try {
    const loaded = await load();
    // Markup that the script does not find as it expects it, such as a text that broke out, keeps it from that for ever.
    await page.waitForSelector("html[data-hydrated]", { state: "attached", timeout: 30_000 });
    do {
      while (open.size > 0) await page.waitForEvent("requestfinished", { timeout: 100 }).catch(() => undefined);
      // What was answered is drawn, and may have something to ask in turn.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    } while (open.size > 0);
    return loaded;
  } finally {
    page.off("request", begin).off("requestfinished", end).off("requestfailed", end);
  }
}

/** Opens a page and waits as `settled` does. */
export const goSettled = (page: Page, path: string): Promise<Response | null> => settled(page, () => page.goto(path, { waitUntil: "commit" }));
