import config from "./playwright.config.ts";

// `make measure-images`: prints what bad pictures cost. One after another: memory is measured.
export default { ...config, testDir: "measure", workers: 1 };
