// The program alone is all that is deployed: the files for browsers are in it.
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { freePort } from "./support/ports.ts";

test("the program copied alone into an empty folder serves pages, styles and wasm", async ({ request }) => {
  const folder = await mkdtemp(join(tmpdir(), "vestnik-alone-"));
  const program = join(folder, "vestnik");
  await copyFile(BINARY, program);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // Nothing of the environment, so that no setting names a folder.
  const child = spawn(program, ["serve", "--addr", `127.0.0.1:${port}`], { cwd: folder, env: {}, stdio: "ignore" });
  try {
    await expect.poll(() => fetch(url).then((answer) => answer.status, () => 0), { timeout: 30_000 }).toBe(200);
    const page = await (await request.get(url)).text();
    const files = [...page.matchAll(/\/pkg\/[\w./-]+\.(?:css|js|wasm|json|woff2)/g)].map(([file]) => file);
    for (const kind of [".css", ".js", ".woff2"]) expect(files.filter((file) => file.endsWith(kind)), kind).not.toEqual([]);
    for (const file of new Set(files)) {
      const answer = await fetch(url + file, { headers: { "Accept-Encoding": "br" } });
      expect(answer.status, file).toBe(200);
      if (!file.endsWith(".woff2")) expect(answer.headers.get("content-encoding"), file).toBe("br");
      expect((await answer.arrayBuffer()).byteLength, file).toBeGreaterThan(100);
    }
    const start = await (await request.get(url + files.find((file) => /\/start\.\w+\.js$/.test(file)))).text();
    const wasm = /\/pkg\/[\w/]+_bg\.wasm/.exec(start)?.[0];
    const answer = await request.get(`${url}${wasm}`);
    expect(answer.headers()["content-type"]).toBe("application/wasm");
    expect((await answer.body()).subarray(0, 4).toString("latin1")).toBe("\0asm");
    expect((await readdir(folder)).sort()).toEqual(["data", "vestnik"]);
  } finally {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
    await rm(folder, { recursive: true, force: true });
  }
});
