import { Demo } from "./demo.ts";
import { test } from "./test.ts";

/** `test` with a demonstration of its own behind the page, one for all tests of a worker. */
const withDemo = (trouble: boolean) =>
  test.extend<object, { demo: Demo }>({
    demo: [
      async ({}, use) => {
        const demo = await Demo.start(trouble);
        await use(demo);
        await demo.stop();
      },
      { scope: "worker" },
    ],
    baseURL: async ({ demo }, use) => use(demo.server.url),
  });

/** Where every letter has arrived. */
export const calm = withDemo(false);
/** Where the mail server has refused, put off and lost some. */
export const trouble = withDemo(true);
