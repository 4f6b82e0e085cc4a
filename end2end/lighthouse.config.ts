import config from "./playwright.config.ts";

// `make lighthouse`. One page after another: they are timed.
export default { ...config, testDir: "lighthouse", workers: 1 };
