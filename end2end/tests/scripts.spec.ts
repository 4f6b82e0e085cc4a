// Whatever people type stays text: every field that takes any is filled with scripts, every page is opened, and
// nothing runs. No page's policy reports a violation either: it has nothing to do.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { PAYLOADS, Watch } from "./support/scripts.ts";
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
  const found = new RegExp(`action="(/api/${name}\\d*)"`).exec(html)?.[1];
  if (!found) throw new Error(`${on} has no form of ${name}`);
  return found;
}

/** Sends a form; what the server refuses is a fault of the test. */
async function send(page: Page, to: string, fields: Record<string, string>): Promise<string> {
  const form = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.includes("[") ? name : `form[${name}]`, value]));
  const answer = await page.request.post(to, { form, headers: { Accept: "application/json" }, maxRedirects: 0 });
  if (answer.status() >= 400) throw new Error(`${to}: ${answer.status()} ${await answer.text()}`);
  return answer.headers()["location"] ?? (await answer.text());
}

const number = (text: string) => /(\d+)(?=\?|$)/.exec(text)?.[1] ?? "";

/** Fills every field there is with a payload. */
async function fill(page: Page, payload: string, n: number): Promise<void> {
  const save = await address(page, "/messages/new", "save_message");
  await send(page, "/api/clients/save", { id: "0", email: `c${n}@example.org`, full_name: payload, comment: payload });
  const braces = payload.replaceAll("{", "(");
  const message = number(await send(page, save, { id: "0", subject: braces, body: `${braces}\n\n${braces}` }));
  const review = await address(page, `/mailings/new?step=review&message=${message}&clients=all&when=now&end=2099-12-31T10:00&zone=UTC&period=once&policy=hold`, "save_mailing");
  const mailing = { message, clients: "search", start: "now", end: "2099-12-31T10:00", zone: "UTC", period: "daily", policy: "hold" };
  await send(page, review, { id: "0", title: payload, ...mailing, search: `c${n}@example.org` });
  await send(page, review, { id: "0", title: `s${payload}`, ...mailing, search: payload, start: "2098-01-01T10:00" });
  const post = { id: "0", version: "0", title: payload, summary: payload, body: `${payload}\n\n${payload}`, author: payload, lang: "en" };
  const tags = payload.slice(0, 40).replaceAll(",", " ");
  await send(page, "/api/posts/save", { ...post, tags, cover_alt: payload, publish: "now", slug: `post-${n}` });
  const picture = await page.request.post("/posts/images/upload", {
    multipart: { alt: payload, file: { name: `${payload}.png`, mimeType: "image/png", buffer: PIXEL } },
  });
  expect(picture.status()).toBe(200);
  const csv = `Email,${JSON.stringify(payload)},Comment\nx${n}@example.org,"${payload.replaceAll('"', '""')}",\nnobody,"${payload.replaceAll('"', '""')}",\n`;
  await page.request.post("/clients/upload", { multipart: { file: { name: `${payload}.csv`, mimeType: "text/csv", buffer: Buffer.from(csv) } } });
}

/** A user who calls themself so, blocked for such a reason, with a mailing disabled for another. */
async function stop(page: Page, dataDir: string, payload: string, n: number): Promise<void> {
  const env = { ...process.env, VESTNIK_DATA_DIR: dataDir };
  const user = execFileSync(BINARY, ["user", "add", "--email", `u${n}@example.org`, `--name=${payload}`], { env, input: PASSWORD, encoding: "utf8" }).trim();
  await send(page, "/api/users/block", { id: user, reason: payload });
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

test("no text that anybody typed runs as a script on any page", async ({ page, server, problems }) => {
  test.setTimeout(1_800_000);
  const watch = await Watch.over(page.context());
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", ADMIN.email, "--name", "admin", "--role", "admin"], { env, input: PASSWORD });
  await logIn(page, "en", ADMIN);
  const profile = await address(page, "/account", "save_profile");
  for (const [n, payload] of PAYLOADS.entries()) {
    await fill(page, payload, n);
    await stop(page, server.dataDir, payload, n);
    await send(page, profile, { name: payload, lang: "en", theme: "light", zone: "UTC" });
  }
  // A mailing of each has run, so that there are letters.
  await expect.poll(async () => (await page.request.get("/outbox")).text()).toContain("onerror=xss()");

  const paths = await everyPage(page, ["/", "/mailings", "/messages", "/clients", "/reports", "/outbox", "/posts", "/posts/images", "/all-mailings", "/users", "/audit", "/relays", "/blog", "/account", "/account/security"]);
  expect(paths.length).toBeGreaterThan(100);
  const shown = new Map<string, number>();
  const look = async (path: string) => {
    const answer = await page.goto(path);
    expect(answer!.status(), path).toBe(200);
    await page.waitForLoadState("networkidle");
    const area = path.split(/[/?]/)[1]!;
    const text = (await page.locator("body").innerText()) + (await page.locator("input, textarea").evaluateAll((all) => all.map((field) => (field as HTMLInputElement).value).join(" ")));
    if (text.includes("xss()")) shown.set(area, (shown.get(area) ?? 0) + 1);
    expect(watch.found, path).toEqual([]);
  };
  for (const path of paths) await look(path);
  // With a mail server there is no outbox any more.
  for (const payload of PAYLOADS) {
    await send(page, "/api/relays/save", { id: "0", name: payload.slice(0, 60), host: "mx.example.org", user: payload, password: payload });
  }
  for (const path of await everyPage(page, ["/relays"], paths.filter((path) => path !== "/relays"))) await look(path);
  // The pages do show them, as text.
  for (const area of ["mailings", "messages", "clients", "reports", "outbox", "posts", "all-mailings", "users", "audit", "relays", "blog", "account"]) {
    expect(shown.get(area) ?? 0, `${area}: ${JSON.stringify([...shown])}`).toBeGreaterThan(0);
  }
  console.log(`${PAYLOADS.length} payloads on ${paths.length} pages:`, Object.fromEntries(shown));
});

test("nor does what stands in an address, or in a form that is refused", async ({ page, server, problems }) => {
  test.setTimeout(1_200_000);
  const watch = await Watch.over(page.context());
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", "second@example.org", "--name", "x", "--role", "admin"], { env, input: PASSWORD });
  await logIn(page, "en", { email: "second@example.org", password: PASSWORD });
  for (const status of [400, 404, 409, 422]) problems.expect(/./, status);
  for (const payload of PAYLOADS) {
    const text = encodeURIComponent(payload);
    const queries = ["q", "done", "sort", "after", "status", "tag", "step", "confirm", "title", "search", "view", "problem", "n"].map((name) => `${name}=${text}`).join("&");
    for (const path of ["/mailings", "/mailings/new", "/clients", "/messages", "/users", "/audit", "/all-mailings", "/blog", "/posts", "/posts/images", "/reports", "/outbox", "/relays"]) {
      await page.goto(`${path}?${queries}`);
    }
    for (const path of [`/blog/${text}`, `/clients/${text}`, `/login?next=${text}`, `/reset?token=${text}`, `/confirm?token=${text}`, `/${text}`]) await page.goto(path);
    // Sent as a browser without scripts does, refused, and rendered again with what was typed in it.
    for (const to of ["/api/clients/save", "/api/posts/save", "/api/relays/save"]) {
      await page.goto("/clients/new");
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
        [to, payload],
      );
      await page.waitForLoadState("networkidle");
      await expect(page.locator('[aria-invalid="true"], [role=alert]').first()).toBeAttached();
    }
    expect(watch.found, payload).toEqual([]);
  }
});
