import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const INSTALLED = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
// Where none is installed, undefined makes Playwright take the one it downloaded.
const executablePath = process.env.VESTNIK_CHROMIUM || INSTALLED.find((path) => existsSync(path));
// Chromium's sandbox does not work for root.
const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: process.env.CI === "true",
  // A test that passes at its second try has found something.
  retries: 0,
  workers: 2,
  // Each wait has a bound of its own, below; a long test on a slow machine may take several times what it takes here.
  timeout: 300_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  use: {
    // Whatever is waited for in vain fails then and there, not when the whole test's time is over.
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    browserName: "chromium",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    // A trace runs a script in every frame, which the frames of letters refuse: an error on the console, now and then.
    trace: process.env.VESTNIK_TRACE ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args: [
        ...sandbox, "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
