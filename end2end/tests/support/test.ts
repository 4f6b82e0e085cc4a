// `test` for every file here: a server per file, and no test passes over an error in the browser.
import { test as base } from "@playwright/test";
import { Problems } from "./problems.ts";
import { Server } from "./server.ts";

type ServerOf = (file: string, env: Record<string, string>) => Promise<Server>;
type TestFixtures = {
  /** Settings for the file's server, beside the usual ones: `test.use({ serverEnv: { … } })`. */
  serverEnv: Record<string, string>;
  server: Server;
  problems: Problems;
};

export const test = base.extend<TestFixtures, { serverOf: ServerOf }>({
  // A worker runs one file after another: it keeps one server, and changes it with the file.
  serverOf: [
    async ({}, use) => {
      let current: { key: string; server: Server } | undefined;
      await use(async (file, env) => {
        const key = JSON.stringify([file, env]);
        if (current?.key !== key) {
          await current?.server.stop();
          current = undefined;
          current = { key, server: await Server.start(env) };
        }
        return current.server;
      });
      await current?.server.stop();
    },
    { scope: "worker" },
  ],
  serverEnv: [{}, { option: true }],
  server: async ({ serverOf, serverEnv }, use, info) => {
    const server = await serverOf(info.file, serverEnv);
    await use(server);
    if (info.status !== info.expectedStatus) await info.attach("server", { body: server.output });
  },
  baseURL: async ({ server }, use) => use(server.url),
  problems: [
    async ({ context }, use) => {
      const problems = new Problems();
      problems.watch(context);
      await use(problems);
      if (problems.found.length) throw new Error(`In the browser:\n${problems.found.join("\n")}`);
    },
    { auto: true },
  ],
});

export { expect } from "@playwright/test";
