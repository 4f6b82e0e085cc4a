import type { Frame, Page, Request, Response } from "@playwright/test";

/** Streams of live events stay open. */
const counts = (request: Request) => request.resourceType() !== "eventsource";

/** How long a page is waited for, in milliseconds. */
const PATIENCE = 30_000;

/** Does what loads a page, and waits until the page's script has taken it over (`data-hydrated`, src/lib.rs) and all that
 * it asked the server for has been answered and drawn. */
export async function settled<T>(page: Page, load: () => Promise<T>): Promise<T> {
  const open = new Set<Request>();
  let next: Request | undefined;
  const begin = (request: Request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) next = request;
    if (counts(request)) open.add(request);
  };
  const end = (request: Request) => void open.delete(request);
  // What the page before this one had asked for, nobody waits for: a browser may say nothing more of it.
  const committed = (frame: Frame) => {
    if (frame !== page.mainFrame() || !next) return;
    for (const request of open) if (request !== next) open.delete(request);
    next = undefined;
  };
  page.on("request", begin).on("requestfinished", end).on("requestfailed", end).on("framenavigated", committed);
  try {
    const loaded = await load();
    const until = Date.now() + PATIENCE;
    // Markup that the script does not find as it expects it, such as a text that broke out, keeps it from that for ever.
    await page.waitForSelector("html[data-hydrated]", { state: "attached", timeout: PATIENCE });
    do {
      while (open.size > 0) {
        if (Date.now() > until) throw new Error(`not answered: ${[...open].map((request) => request.url()).join(", ")}`);
        await page.waitForEvent("requestfinished", { timeout: 100 }).catch(() => undefined);
      }
      // What was answered is drawn, and may have something to ask in turn. A tab that was behind another may draw nothing yet.
      await page.evaluate(() => new Promise<void>((done) => {
        requestAnimationFrame(() => setTimeout(done));
        setTimeout(done, 1_000);
      }));
    } while (open.size > 0);
    return loaded;
  } finally {
    page.off("request", begin).off("requestfinished", end).off("requestfailed", end).off("framenavigated", committed);
  }
}

/** Opens a page and waits as `settled` does. */
export const goSettled = (page: Page, path: string): Promise<Response | null> => settled(page, () => page.goto(path, { waitUntil: "commit" }));

/** Presses keys that a page's script alone answers, once it is there. */
export async function shortcut(page: Page, keys: string): Promise<void> {
  await page.waitForSelector("html[data-hydrated]", { state: "attached", timeout: PATIENCE });
  await page.keyboard.press(keys);
}
