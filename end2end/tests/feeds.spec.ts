// Feeds and sitemap, as programs of others read them: feedparser, and xmllint with the schema of sitemaps.org, a copy
// of which lies in the npm package `sitemap`.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { APIRequestContext } from "@playwright/test";
import { calm } from "./support/demo-test.ts";
import { expect } from "./support/test.ts";

const SCHEMA = join(resolve(import.meta.dirname, ".."), "node_modules/sitemap/schema/sitemap.xsd");
const READER = join(import.meta.dirname, "support/read_feed.py");
/** Debian's package of feedparser is for Debian's own Python, which need not be the first on PATH. */
const PYTHON = ["python3", "/usr/bin/python3"].find((path) => spawnSync(path, ["-c", "import feedparser"]).status === 0);

type Entry = { id: string; title: string; link: string; author: string; published: boolean; tags: string[]; html: string };
type Feed = { version: string; wrong: string; title: string; self: string[]; entries: Entry[] };

async function read(request: APIRequestContext, path: string): Promise<Feed> {
  const input = await (await request.get(path)).body();
  return JSON.parse(execFileSync(PYTHON ?? "python3", [READER], { input, encoding: "utf8" }));
}

for (const [kind, version] of Object.entries({ atom: "atom10", rss: "rss20" })) {
  calm(`feedparser reads ${kind}`, async ({ page, demo }) => {
    const { request } = page;
    for (const [query, posts] of [["", 6], ["?lang=en", 3], ["?lang=ru", 3]] as const) {
      const path = `/blog/feed.${kind}${query}`;
      const feed = await read(request, path);
      expect(feed).toMatchObject({ version, wrong: "", self: [`${demo.server.url}${path}`] });
      expect(feed.title).not.toBe("");
      expect(feed.entries).toHaveLength(posts);
      expect(new Set(feed.entries.map((entry) => entry.id)).size).toBe(posts);
      for (const entry of feed.entries) {
        expect(entry).toMatchObject({ published: true, html: expect.stringMatching(/^<(p|ol|ul|h2)/) });
        for (const what of [entry.title, entry.author, entry.tags.join()]) expect(what).not.toBe("");
        expect((await request.get(entry.link)).status(), entry.link).toBe(200);
      }
    }
  });
}

calm("the sitemap keeps to its schema, and each of its addresses is there", async ({ page, demo }, info) => {
  const xml = await (await page.request.get("/sitemap.xml")).text();
  const file = info.outputPath("sitemap.xml");
  writeFileSync(file, xml);
  execFileSync("xmllint", ["--nonet", "--noout", "--schema", SCHEMA, file], { stdio: "pipe" });
  const addresses = [...xml.matchAll(/<loc>([^<]+)<\/loc>/g)].map((match) => match[1]!);
  expect(addresses).toHaveLength(8);
  for (const address of addresses) {
    expect(address.startsWith(`${demo.server.url}/`)).toBe(true);
    expect((await page.request.get(address, { maxRedirects: 0 })).status(), address).toBe(200);
  }
});
