// What must never happen in a browser, whatever the test looks at.
import type { BrowserContext } from "@playwright/test";

type Expected = { url: RegExp; status: number };

export class Problems {
  readonly found: string[] = [];
  #expected: Expected[] = [];
  #unfetched: RegExp[] = [];

  /** Says that a test provokes this answer: it is no problem then, nor is the console's echo of it. */
  expect(url: RegExp, status: number): void {
    this.#expected.push({ url, status });
  }

  /** Says that the browser will not get this: with scripts off it refuses their preloads. */
  expectUnfetched(url: RegExp): void {
    this.#unfetched.push(url);
  }

  /** Watches every page of a context; the test's own is watched already. */
  watch(context: BrowserContext): void {
    context.on("weberror", (error) => this.found.push(`uncaught: ${error.error()}`));
    context.on("console", (message) => {
      if (message.type() !== "error") return;
      const url = message.location().url;
      const status = /the server responded with a status of (\d+)/.exec(message.text())?.[1];
      // The response handler below has judged it, or will.
      if (status || this.#unfetched.some((expected) => expected.test(url))) return;
      this.found.push(`console: ${message.text()} (${url})`);
    });
    context.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // The browser itself gives up streams and preloads when the page is left or a download begins.
      if (reason === "net::ERR_ABORTED" || this.#unfetched.some((url) => url.test(request.url()))) return;
      this.found.push(`request failed: ${request.url()} ${reason}`);
    });
    context.on("response", (response) => {
      const status = response.status();
      if (status < 400) return;
      const expected = this.#expected.some((e) => e.status === status && e.url.test(response.url()));
      if (!expected) this.found.push(`${status} ${response.request().method()} ${response.url()}`);
    });
  }
}
