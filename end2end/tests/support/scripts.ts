// Texts that would run a script wherever they are put into a page as they are, and a watch for those that do.
import type { BrowserContext } from "@playwright/test";

/** Each calls `xss()`, and none is longer than 100 characters. The first must stand at the beginning of its text. */
const PAYLOADS = [
  `javascript:xss()//`,
  `<script>xss()</script>`,
  `"><img src=x onerror=xss()>`,
  `</textarea><script>xss()</script>`,
  `</script><script>xss()</script>`,
  `</title></style><img src=x onerror=xss()>`,
  `<iframe srcdoc="<script>parent.xss()</script>"></iframe>`,
  `<a href="javascript:xss()" autofocus onfocus=xss()>x</a>`,
  `[x](javascript:xss()) ![x](x"onerror="xss())`,
  `<noscript><p title="</noscript><img src=x onerror=xss()>">`,
  `<math><mtext><style><!--</style><img title="--><img src=1 onerror=xss()>">`,
  `\u003cimg src=x onerror=xss()\u003e &lt;img src=x onerror=xss()&gt;`,
  `<base href="https://evil.example/"><style>@import "/x";</style>`,
  `<form action=javascript:xss()><input autofocus onfocus=xss()></form>`,
  // These two swallow what follows.
  `'><svg onload=xss()><b id='`,
  `--><img src=x onerror=xss()><!--`,
] as const;

/** All payloads in few texts, none of them longer than a field takes; a payload that is longer itself is cut. */
export function texts(longest: number): string[] {
  const texts: string[] = [];
  for (const payload of PAYLOADS.map((whole) => whole.slice(0, longest))) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + payload.length <= longest) texts[texts.length - 1] = `${last} ${payload}`;
    else texts.push(payload);
  }
  return texts;
}

/** All payloads in one text of several paragraphs, for a field that takes those. */
export const TEXT = PAYLOADS.join("\n\n");

/** The same for a message, without links and pictures that would lose their address: it is refused with those. */
export const LETTER = PAYLOADS.filter((payload) => !/\]\(|<a href/.test(payload)).map((payload) => payload.replace(/src=[x1] /g, "")).join("\n\n");

/** Notes in the browser what must not happen: a payload that ran, a violation of the policy of a page. */
export class Watch {
  readonly found: string[] = [];

  static async over(context: BrowserContext): Promise<Watch> {
    const watch = new Watch();
    await context.exposeFunction("xss", () => void watch.found.push("a script ran"));
    await context.exposeFunction("violated", (what: string) => void watch.found.push(what));
    // In every frame, before anything of the page.
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const told = window as unknown as { violated(what: string): void };
        told.violated(`${event.violatedDirective} ${event.blockedURI} on ${location.href}`);
      });
    });
    context.on("dialog", (dialog) => {
      // A form that an address fills in counts as begun, and asks before it is left.
      if (dialog.type() === "beforeunload") return void dialog.accept();
      watch.found.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return watch;
  }
}
