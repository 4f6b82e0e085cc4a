// Whatever people type stays text: every field that takes any is filled with scripts, every page is opened, and
// nothing runs. No page's policy reports a violation either: it has nothing to do.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { LETTER, TEXT, Watch, texts } from "./support/scripts.ts";
import { goSettled, settled } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";
const ADMIN = { email: "admin@example.org", password: PASSWORD };
/** A picture of one pixel. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** The address of a server function, as a form on that page has it. */
async function address(page: Page, on: string, name: string): Promise<string> {
  const html = await (await page.request.get(on)).text();
  const found = new RegExp(`action="(/api/${name})"`).exec(html)?.[1];
  if (!found) throw new Error(`${on} has no form of ${name}`);
  return found;
}

/** What a browser says of a form on one of our pages. */
const own = (page: Page) => ({ Origin: new URL(page.url()).origin });

/** Sends a form; what the server refuses is a fault of the test. */
async function send(page: Page, to: string, fields: Record<string, string>): Promise<string> {
  const form = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.includes("[") ? name : `form[${name}]`, value]));
  const answer = await page.request.post(to, { form, headers: { Accept: "application/json", ...own(page) }, maxRedirects: 0 });
  if (answer.status() >= 400) throw new Error(`${to}: ${answer.status()} ${await answer.text()}`);
  return answer.headers()["location"] ?? (await answer.text());
}

const number = (text: string) => /(\d+)(?=\?|$)/.exec(text)?.[1] ?? "";

/** Fills every field there is with all payloads, as many to a text as the field takes. */
async function fill(page: Page): Promise<void> {
  const save = await address(page, "/messages/new", "messages/save");
  let message = "";
  await expect(send(page, save, { id: "0", subject: "Lost", body: TEXT })).rejects.toThrow("error.picture.lost");
  for (const subject of texts(500)) message = number(await send(page, save, { id: "0", subject, body: LETTER }));
  for (const [n, full_name] of texts(200).entries()) {
    await send(page, "/api/clients/save", { id: "0", email: `c${n}@example.org`, full_name, comment: TEXT });
  }
  const review = await address(page, `/mailings/new?step=review&message=${message}&clients=all&when=now&end=2099-12-31T10:00&zone=UTC&period=once&policy=hold`, "mailings/save");
  const mailing = { id: "0", message, clients: "search", end: "2099-12-31T10:00", zone: "UTC", period: "daily", policy: "hold" };
  for (const [n, text] of texts(200).entries()) {
    await send(page, review, { ...mailing, title: text, start: "now", search: `c${n}@example.org` });
    await send(page, review, { ...mailing, title: text, start: "2098-01-01T10:00", search: text });
  }
  const tags = texts(40).map((tag) => tag.replaceAll(",", " "));
  const [titles, summaries, alts] = [texts(200), texts(500), texts(300)];
  for (const [n, author] of texts(100).entries()) {
    const [title, summary, cover_alt] = [titles, summaries, alts].map((all) => all[n % all.length]!);
    const post = { id: "0", version: "0", title: title!, summary: summary!, cover_alt: cover_alt!, author, body: TEXT, lang: "en" };
    await send(page, "/api/posts/save", { ...post, tags: tags.splice(0, 10).join(", "), publish: "now", slug: `post-${n}` });
  }
  for (const [n, name] of texts(196).entries()) {
    const file = { name: `${name}.png`, mimeType: "image/png", buffer: PIXEL };
    const picture = await page.request.post("/posts/images/upload", { headers: own(page), multipart: { alt: alts[n % alts.length]!, file } });
    expect(picture.status()).toBe(200);
  }
  // Cells are cut after 100 characters.
  const quoted = texts(100).map((text) => `"${text.replaceAll('"', '""')}"`);
  const csv = [`Email,${quoted.join(",")}`, `x@example.org,${quoted.join(",")}`, `nobody,${quoted.join(",")}`, ...quoted].join("\n");
  for (const name of texts(196)) {
    const file = { name: `${name}.csv`, mimeType: "text/csv", buffer: Buffer.from(csv) };
    expect((await page.request.post("/clients/upload", { headers: own(page), multipart: { file } })).status()).toBe(200);
  }
}

/** Users who call themselves so, blocked for such a reason. */
async function stop(page: Page, dataDir: string): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: dataDir };
  const reasons = texts(500);
  for (const [n, name] of texts(100).entries()) {
    const words = ["user", "add", "--email", `u${n}@example.org`, `--name=${name}`];
    const user = execFileSync(BINARY, words, { env, input: PASSWORD, encoding: "utf8" }).trim();
    await send(page, "/api/users/block", { id: user, reason: reasons[n % reasons.length]! });
  }
}

/** Paths of all pages of ours that links lead to, from those on, but for the known ones. */
async function everyPage(page: Page, from: string[], known: string[] = []): Promise<string[]> {
  const seen = new Set([...known, ...from]);
  const queue = [...from];
  for (let path = queue.shift(); path; path = queue.shift()) {
    const answer = await page.request.get(path);
    if (!answer.headers()["content-type"]?.includes("text/html")) {
      seen.delete(path);
      continue;
    }
    for (const [, href] of (await answer.text()).matchAll(/<a[^>]* href="(\/[^"#]*)"/g)) {
      const url = new URL(href!.replaceAll("&amp;", "&"), "http://x");
      // Sorting and filters show the same texts again; a tag is a text of its own.
      const kept = url.searchParams.has("tag") || url.searchParams.has("view") ? url.search : "";
      const next = url.pathname + kept;
      if (/^\/(language|theme|events)|\.(csv|atom|rss)$|\/(export|source)$/.test(url.pathname) || seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return [...seen].slice(known.length);
}

// Without this, a watch that sees nothing would do for all that follows.
test("the watch sees each payload that gets onto a page as it is, with the policy of our pages and without", async ({ browser, server }) => {
  // What happens to such pages is no problem of ours.
  const context = await browser.newContext({ baseURL: server.url });
  const [page, watch] = [await context.newPage(), await Watch.over(context)];
  const places: ((text: string) => string)[] = [
    (text) => `<p>${text}</p>`,
    (text) => `<p title="${text}"></p>`,
    (text) => `<p title='${text}'></p>`,
    (text) => `<textarea>${text}</textarea>`,
    (text) => `<title>${text}</title>`,
    (text) => `<style>${text}</style>`,
    (text) => `<!-- ${text} -->`,
    (text) => `<script type="application/json">${text}</script>`,
    (text) => (text.startsWith("javascript:") ? `<iframe src="${text.replaceAll('"', "&quot;")}"></iframe>` : ""),
  ];
  const policy = (await page.request.get("/login")).headers()["content-security-policy"]!;
  for (const headers of [{ "content-security-policy": policy }, {}]) {
    for (const [n, place] of places.entries()) {
      const body = `<!doctype html><body>${[...texts(200), TEXT].map(place).join("")}`;
      await page.route("**/raw", (route) => route.fulfill({ contentType: "text/html", headers, body }));
      await page.goto("/raw");
      await expect.poll(() => watch.found.length, `${n}: ${body}`).toBeGreaterThan(0);
      watch.found.length = 0;
      await page.unroute("**/raw");
    }
  }
  await context.close();
});

test("no text that anybody typed runs as a script on any page", async ({ page, server, problems }) => {
  const watch = await Watch.over(page.context());
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", ADMIN.email, "--name", "admin", "--role", "admin"], { env, input: PASSWORD });
  await logIn(page, "en", ADMIN);
  await fill(page);
  await stop(page, server.dataDir);
  const profile = await address(page, "/account", "profile/save");
  for (const name of texts(100)) await send(page, profile, { name, lang: "en", theme: "light", zone: "UTC" });
  // A mailing of each has run, so that there are letters.
  await expect.poll(async () => (await page.request.get("/outbox")).text()).toContain("onerror=xss()");

  const paths = await everyPage(page, ["/", "/mailings", "/messages", "/clients", "/reports", "/outbox", "/posts", "/posts/images", "/all-mailings", "/users", "/audit", "/relays", "/blog", "/account", "/account/security"]);
  expect(paths.length).toBeGreaterThan(80);
  const shown = new Map<string, number>();
  const look = async (path: string) => {
    const answer = await goSettled(page, path);
    expect(answer!.status(), path).toBe(200);
    const area = path.split(/[/?]/)[1]!;
    const text = (await page.locator("body").innerText()) + (await page.locator("input, textarea").evaluateAll((all) => all.map((field) => (field as HTMLInputElement).value).join(" ")));
    if (text.includes("xss()")) shown.set(area, (shown.get(area) ?? 0) + 1);
    expect(watch.found, path).toEqual([]);
  };
  for (const path of paths) await look(path);
  // With a mail server there is no outbox any more.
  const users = texts(255);
  for (const [n, name] of texts(60).entries()) {
    const user = users[n % users.length]!;
    await send(page, "/api/relays/save", { id: "0", name, host: "mx.example.org", user, password: user });
  }
  for (const path of await everyPage(page, ["/relays"], paths.filter((path) => path !== "/relays"))) await look(path);
  // The pages do show them, as text.
  for (const area of ["mailings", "messages", "clients", "reports", "outbox", "posts", "all-mailings", "users", "audit", "relays", "blog", "account"]) {
    expect(shown.get(area) ?? 0, `${area}: ${JSON.stringify([...shown])}`).toBeGreaterThan(0);
  }
  console.log(`${paths.length} pages:`, Object.fromEntries(shown));
});

test("nor does what stands in an address, or in a form that is refused", async ({ page, server, problems }) => {
  const watch = await Watch.over(page.context());
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", "second@example.org", "--name", "x", "--role", "admin"], { env, input: PASSWORD });
  await logIn(page, "en", { email: "second@example.org", password: PASSWORD });
  for (const status of [400, 404, 409, 422]) problems.expect(/./, status);
  const names = ["q", "done", "sort", "after", "status", "tag", "step", "confirm", "title", "search", "view", "problem", "n"];
  const areas = ["/mailings", "/mailings/new", "/clients", "/messages", "/users", "/audit", "/all-mailings", "/blog", "/posts", "/posts/images", "/reports", "/outbox", "/relays"];
  const query = (text: string) => names.map((name) => `${name}=${encodeURIComponent(text)}`).join("&");
  for (const text of texts(200)) {
    for (const area of areas) await goSettled(page, `${area}?${query(text)}`);
    const part = encodeURIComponent(text);
    for (const path of [`/blog/${part}`, `/clients/${part}`, `/login?next=${part}`, `/reset?token=${part}`, `/confirm?token=${part}`, `/${part}`]) {
      await goSettled(page, path);
    }
    // Sent as a browser without scripts does, refused, and rendered again with what was typed in it.
    for (const to of ["/api/clients/save", "/api/posts/save", "/api/relays/save"]) {
      await goSettled(page, "/clients/new");
      await settled(page, async () => {
        const refused = page.waitForEvent("framenavigated");
        await page.evaluate(
          ([action, value]) => {
            const form = document.createElement("form");
            [form.method, form.action] = ["post", action!];
            for (const name of ["__page", "form[email]", "form[full_name]", "form[comment]", "form[title]", "form[name]", "form[host]", "form[slug]"]) {
              const field = Object.assign(document.createElement("input"), { name, value });
              if (name === "__page") field.value = action!.replace(/^.api.(\w+).save$/, "/$1/new");
              form.append(field);
            }
            document.body.append(form);
            form.submit();
          },
          [to, text],
        );
        await refused;
      });
      await expect(page.locator('[aria-invalid="true"], [role=alert]').first()).toBeAttached();
    }
    expect(watch.found, text).toEqual([]);
  }
  // The blog searches for 100 characters at most.
  for (const text of texts(100)) await goSettled(page, `/blog?${query(text)}`);
  expect(watch.found).toEqual([]);
});
