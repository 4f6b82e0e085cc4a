// Lighthouse on the public pages, for telephones and desktops: prints every score, and what falls short of 100.
import type { Page } from "@playwright/test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import desktop from "lighthouse/core/config/desktop-config.js";
import config from "../playwright.config.ts";
import { calm } from "../tests/support/demo-test.ts";
import { expect } from "../tests/support/test.ts";

const { executablePath, args } = config.use!.launchOptions!;

async function post(page: Page): Promise<string> {
  const html = await (await page.request.get("/blog")).text();
  return /href="(\/blog\/[a-z0-9-]+)"/.exec(html)![1]!;
}

calm("Lighthouse", async ({ page, demo }) => {
  calm.setTimeout(600_000);
  const chrome = await launch({ chromePath: executablePath, chromeFlags: ["--headless=new", ...args!] });
  const short: string[] = [];
  for (const path of ["/", "/blog", await post(page)]) {
    for (const [form, settings] of [["mobile", undefined], ["desktop", desktop]] as const) {
      const result = await lighthouse(demo.server.url + path, { port: chrome.port, logLevel: "error" }, settings);
      const { categories, audits } = result!.lhr;
      const scores = Object.values(categories).map(({ title, score }) => `${title} ${Math.round((score ?? 0) * 100)}`);
      console.log(`${form.padEnd(8)} ${path}: ${scores.join(", ")}`);
      for (const { title, score, auditRefs } of Object.values(categories)) {
        if (score === 1) continue;
        const low = auditRefs.filter(({ id, weight }) => weight > 0 && (audits[id]!.score ?? 1) < 1);
        const causes = low.map(({ id }) => `${id} ${audits[id]!.score} ${audits[id]!.displayValue ?? ""}`);
        short.push(`${form} ${path}: ${title}: ${causes.join("; ")}`);
      }
    }
  }
  chrome.kill();
  expect(short.join("\n")).toBe("");
});
