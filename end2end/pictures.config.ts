// `make screenshots`: every page as a picture, in target/screenshots; those that the documentation shows are renewed.
import config from "./playwright.config.ts";

export default { ...config, testDir: "pictures", timeout: 600_000 };
