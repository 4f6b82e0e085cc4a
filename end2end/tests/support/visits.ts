// Every page there is, and every state of one that looks different: the one list that both the accessibility tests and
// the pictures go through. A new page goes here.
import { type Page, expect } from "@playwright/test";

export type Visit = {
  /** Unique; the picture's file name. */
  name: string;
  path: string;
  /** The status that the page is answered with, where it is not 200. */
  status?: number;
  /** What the server refuses on the way, with 422. */
  refused?: RegExp;
  /** What the reader does there before anybody looks. */
  act?: (page: Page) => Promise<void>;
};

const submit = (page: Page) => page.locator("main form button[type=submit]").first().click();
const dialog = async (page: Page) => page.locator("dialog:modal").waitFor();
/** Sends a form with something wrong in it. */
const wrong = (fields: Record<string, string>) => async (page: Page) => {
  for (const [name, text] of Object.entries(fields)) await page.locator(`[name="form[${name}]"]`).fill(text);
  await submit(page);
  await page.locator('[aria-invalid="true"]').first().waitFor();
};
const CSV = `Email,Полное имя,Comment
good@example.org,Анна Ким,ok
not-an-address,Кто-то,
two@@example.org,Две Собаки,
,Без адреса,`;

async function upload(page: Page): Promise<void> {
  await page.locator('input[type="file"]').setInputFiles({ name: "клиенты.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await submit(page);
  await expect(page).toHaveURL(/\/clients\/import\/\d+/);
}

/** Asks for links to an address that is none, on a page without scripts. */
async function askWrong(page: Page): Promise<void> {
  await page.locator('[name="email"]').fill("a..b@example.org");
  await submit(page);
  await page.locator('[aria-invalid="true"]').first().waitFor();
}

/** What anybody can open. */
export const PUBLIC: Visit[] = [
  { name: "home", path: "/" },
  { name: "login", path: "/login" },
  { name: "signup", path: "/signup" },
  { name: "signup-errors", path: "/signup", refused: /api\/signup/, act: wrong({ email: "a..b@example.org" }) },
  { name: "signup-sent", path: "/signup/sent" },
  { name: "forgot", path: "/forgot" },
  { name: "forgot-sent", path: "/forgot/sent" },
  { name: "resend", path: "/resend" },
  { name: "code", path: "/login/code" },
  { name: "confirm", path: "/confirm?token=nonsense", status: 409 },
  { name: "email-revoke", path: "/account/revoke?token=nonsense", status: 409 },
  { name: "invitation", path: "/invitation?token=nonsense", status: 409 },
  { name: "not-found", path: "/nothing/here", status: 404 },
  { name: "leave-ask", path: "/u" },
  { name: "leave-ask-errors", path: "/u", refused: /\/u$/, act: askWrong },
  { name: "leave-unknown", path: "/u/nosuchtoken", status: 404 },
  { name: "outbox-public", path: "/outbox" },
];

/** What a new user sees, who has nothing yet. */
export const EMPTY: Visit[] = [
  { name: "empty-overview", path: "/overview" },
  { name: "empty-calendar", path: "/calendar" },
  { name: "empty-mailings", path: "/mailings" },
  { name: "empty-wizard", path: "/mailings/new" },
  { name: "empty-messages", path: "/messages" },
  { name: "empty-clients", path: "/clients" },
  { name: "empty-suppressions", path: "/suppressions" },
  { name: "empty-topics", path: "/topics" },
  { name: "empty-reports", path: "/reports" },
  { name: "empty-outbox", path: "/outbox" },
];

/** What an administrator sees beside, whose number is 1. */
export const ADMIN: Visit[] = [
  { name: "admin-overview", path: "/overview" },
  { name: "settings", path: "/settings" },
  { name: "settings-errors", path: "/settings", refused: /settings\/save/, act: wrong({ sender_email: "nobody", clients: "many" }) },
  { name: "invitations", path: "/invitations", act: invite },
  { name: "audit", path: "/audit" },
  { name: "returns", path: "/returns" },
  { name: "user-self", path: "/users/1" },
];

async function invite(page: Page): Promise<void> {
  await page.locator('[name="form[email]"]').fill("invited@example.org");
  await submit(page);
  await expect(page.locator("tbody tr").first()).toBeVisible();
}

/** What a page's HTML has first of a pattern; a change made from the command line shows after a few seconds. */
async function first(page: Page, list: string, pattern: RegExp): Promise<string> {
  let found: string | undefined;
  await expect(async () => {
    found = pattern.exec(await (await page.request.get(list)).text())?.[1];
    expect(found, `${list} has a link like ${pattern}`).toBeDefined();
  }).toPass({ timeout: 20_000 });
  return found!;
}

/** What anybody can open where something has been published. */
export async function blog(page: Page): Promise<Visit[]> {
  const post = await first(page, "/blog", /href="(\/blog\/[a-z0-9-]+)"/);
  const tag = await first(page, "/blog", /href="(\/blog\?tag=[^"]+)"/);
  return [
    { name: "home-posts", path: "/" },
    { name: "blog", path: "/blog" },
    { name: "blog-all", path: "/blog?lang=all" },
    { name: "blog-tag", path: tag },
    { name: "blog-search", path: "/blog?lang=all&q=smtp" },
    { name: "blog-none-found", path: "/blog?q=zzzzzz" },
    { name: "blog-post", path: post },
    { name: "blog-missing", path: "/blog/there-is-no-such-post", status: 404 },
  ];
}

/** What somebody sees who writes the blog; the page must be logged in. */
export async function editors(page: Page): Promise<Visit[]> {
  const post = await first(page, "/posts", /href="(\/posts\/\d+)"/);
  return [
    { name: "posts", path: "/posts" },
    { name: "posts-scheduled", path: "/posts?state=scheduled" },
    { name: "posts-none-found", path: "/posts?q=zzzzzz" },
    { name: "posts-delete", path: `/posts?confirm=delete-${post.split("/").pop()}`, act: dialog },
    { name: "post-new", path: "/posts/new" },
    { name: "post-errors", path: "/posts/new", refused: /posts\/save/, act: wrong({ title: "Title", body: "Text", slug: "Not an address!" }) },
    { name: "post-edit", path: post, act: (page) => page.locator(".markdown h2, .markdown p, .markdown li").first().waitFor() },
    { name: "post-history", path: `${post}/history` },
    { name: "post-compare", path: `${post}/history?version=1` },
    { name: "post-merge", path: post, act: clash },
    { name: "post-gone", path: "/posts/99999999", status: 404 },
    { name: "images", path: "/posts/images" },
    { name: "images-wrong", path: "/posts/images", act: uploadWrong },
  ];
}

/** What an administrator sees beside what everybody does; the page must be logged in. */
export async function administration(page: Page): Promise<Visit[]> {
  const user = await first(page, "/users", /href="(\/users\/\d+)"/);
  const relay = await first(page, "/relays", /href="(\/relays\/\d+)"/);
  const mailing = await first(page, "/all-mailings", /href="(\/mailings\/\d+)[^"]*"/);
  return [
    { name: "overview-all", path: "/overview?of=all" },
    { name: "calendar-all", path: "/calendar?of=all" },
    { name: "users", path: "/users" },
    { name: "users-none-found", path: "/users?q=zzzzzz" },
    { name: "user", path: user },
    { name: "all-mailings", path: "/all-mailings" },
    { name: "all-mailings-none-found", path: "/all-mailings?q=zzzzzz" },
    { name: "mailing-overseen", path: mailing },
    { name: "doctor", path: "/doctor" },
    { name: "relays", path: "/relays" },
    { name: "relay-new", path: "/relays/new" },
    { name: "relay-errors", path: "/relays/new", refused: /relays\/save/, act: wrong({ name: "x", host: "mail.example", port: "0" }) },
    { name: "relay-edit", path: relay },
    { name: "relay-test", path: `${relay}/test` },
    { name: "relay-gone", path: "/relays/99999999", status: 404 },
  ];
}

/** Saves a post from a second window first, so that this one's is refused. */
async function clash(page: Page): Promise<void> {
  const save = async (page: Page, summary: string) => {
    await page.locator('[name="form[summary]"]').fill(summary);
    await page.locator('form:has([name="form[summary]"]) button[type="submit"]').first().click();
  };
  const other = await page.context().newPage();
  await other.goto(page.url());
  await save(other, `One, at ${Date.now()}`);
  await other.locator('[role="status"]:not(:empty)').first().waitFor();
  await other.close();
  await save(page, "Another");
  await expect(page).toHaveURL(/\/merge/);
}

async function uploadWrong(page: Page): Promise<void> {
  const buffer = Buffer.from("<svg></svg>");
  await page.locator('input[type="file"]').setInputFiles({ name: "a.png", mimeType: "image/png", buffer });
  await submit(page);
  await page.locator('[aria-invalid="true"]').first().waitFor();
}

/** What the demonstration's user sees; the page must be logged in. */
export async function behindLogIn(page: Page): Promise<Visit[]> {
  const message = await first(page, "/messages", /href="\/messages\/(\d+)"/);
  const client = await first(page, "/clients", /href="\/clients\/(\d+)"/);
  // Once more is refused: it stands there already.
  const form = { "form[email]": "left@example.org", "form[reason]": "Asked by telephone" };
  await page.request.post("/api/suppressions/add", { form, headers: { "Sec-Fetch-Site": "same-origin" } });
  const suppression = await first(page, "/suppressions", /href="\/suppressions\/(\d+)"/);
  const topic = { "form[name]": "News", "form[description]": "Once a month", "form[by_default]": "true", "form[public]": "true" };
  await page.request.post("/api/topics/save", { form: topic, headers: { "Sec-Fetch-Site": "same-origin" } });
  const news = await first(page, "/topics", /href="(\/topics\/\d+)"/);
  const letter = await first(page, "/outbox", /href="\/outbox\/(\d+)"/);
  const chosen = `message=${message}&clients=all&when=now&zone=Europe/Moscow&period=daily&policy=resend&title=Осень`;
  return [
    ...(await mailings(page)),
    { name: "mailings-none-found", path: "/mailings?q=zzzzzz" },
    { name: "account", path: "/account" },
    { name: "account-security", path: "/account/security" },
    { name: "account-notices", path: "/account/notices" },
    { name: "account-data", path: "/account/data" },
    { name: "mailings-toast", path: "/mailings?done=mailings.deleted" },
    { name: "menu", path: "/mailings", act: (page) => page.locator("details.dropdown summary").click() },
    { name: "wizard-message", path: "/mailings/new" },
    { name: "wizard-clients", path: `/mailings/new?${chosen}&step=clients` },
    { name: "wizard-window", path: `/mailings/new?${chosen}&step=window` },
    { name: "wizard-later", path: `/mailings/new?${chosen.replace("&when=now", "&when=at&start=2099-01-01T10:00").replace("daily", "once")}&step=window` },
    { name: "wizard-errors", path: `/mailings/new?${chosen}&end=2020-01-01T10:00&step=review` },
    { name: "wizard-review", path: `/mailings/new?${chosen}&end=2099-12-31T10:00&step=review` },
    { name: "wizard-start", path: `/mailings/new?${chosen}&end=2099-12-31T10:00&step=review&confirm=save`, act: dialog },
    { name: "messages", path: "/messages" },
    { name: "messages-delete", path: "/messages", act: askToDelete },
    { name: "messages-none-found", path: "/messages?q=zzzzzz" },
    { name: "message-starters", path: "/messages/starters" },
    { name: "message-new", path: "/messages/new" },
    { name: "message-new-starter", path: "/messages/new?starter=news" },
    { name: "message-edit", path: `/messages/${message}`, act: (page) => page.locator("iframe").first().waitFor() },
    { name: "designs", path: "/designs" },
    { name: "design-new", path: "/designs/new?from=meadow", act: (page) => page.locator("iframe").first().waitFor() },
    { name: "design-gone", path: "/designs/99999999", status: 404 },
    { name: "message-gone", path: "/messages/99999999", status: 404 },
    { name: "clients", path: "/clients" },
    { name: "clients-chosen", path: "/clients", act: tick },
    { name: "clients-none-found", path: "/clients?q=zzzzzz" },
    { name: "clients-doubles", path: "/clients/doubles" },
    { name: "client-new", path: "/clients/new" },
    { name: "client-errors", path: "/clients/new", refused: /clients\/save/, act: wrong({ email: "a@b..c" }) },
    { name: "client-edit", path: `/clients/${client}` },
    { name: "client-delete", path: `/clients/${client}?confirm=delete`, act: dialog },
    { name: "client-gone", path: "/clients/99999999", status: 404 },
    { name: "import", path: "/clients/import" },
    { name: "import-preview", path: "/clients/import", act: upload },
    { name: "import-done", path: "/clients/import", act: imported },
    { name: "suppressions", path: "/suppressions" },
    { name: "suppressions-none-found", path: "/suppressions?reason=imported" },
    { name: "suppression", path: `/suppressions/${suppression}` },
    { name: "suppression-new", path: "/suppressions/new" },
    { name: "suppression-errors", path: "/suppressions/new", refused: /suppressions\/add/, act: wrong({ email: "a@b..c", reason: "x" }) },
    { name: "suppressions-import", path: "/suppressions/import" },
    { name: "suppressions-import-preview", path: "/suppressions/import", act: uploadLeft },
    { name: "topics", path: "/topics" },
    { name: "topic-new", path: "/topics/new" },
    { name: "topic-errors", path: "/topics/new", refused: /topics\/save/, act: wrong({ name: "News" }) },
    { name: "topic", path: news },
    { name: "topic-delete", path: `${news}?confirm=delete`, act: dialog },
    { name: "clients-left-out", path: "/clients?show=left_out" },
    { name: "outbox", path: "/outbox" },
    { name: "letter", path: `/outbox/${letter}` },
    { name: "letter-text", path: `/outbox/${letter}?view=text` },
    { name: "letter-source", path: `/outbox/${letter}?view=source` },
    { name: "letter-headers", path: `/outbox/${letter}?view=headers` },
  ];
}

/** The pages that a mail server's trouble makes look different. */
export async function mailings(page: Page): Promise<Visit[]> {
  const html = await (await page.request.get("/mailings")).text();
  const ids = [...new Set([...html.matchAll(/href="\/mailings\/(\d+)"/g)].map((match) => Number(match[1])))].sort((a, b) => a - b);
  const [once, daily, ahead, paused] = ids;
  const detail = await (await page.request.get(`/mailings/${once}`)).text();
  const delivery = /href="(\/mailings\/\d+\/deliveries\/\d+)[^"]*"/.exec(detail)?.[1];
  if (!paused || !delivery) throw new Error("the demonstration has no four mailings, or no delivery");
  return [
    { name: "overview", path: "/overview" },
    { name: "calendar", path: "/calendar" },
    { name: "calendar-day", path: `/calendar?day=${new Date().toISOString().slice(0, 10)}` },
    { name: "overview-table", path: "/overview?days=90", act: (page) => page.locator("main details summary").click() },
    { name: "mailings", path: "/mailings" },
    { name: "mailing-once", path: `/mailings/${once}` },
    { name: "mailing-daily", path: `/mailings/${daily}` },
    { name: "mailing-ahead", path: `/mailings/${ahead}` },
    { name: "mailing-paused", path: `/mailings/${paused}` },
    { name: "mailing-edit", path: `/mailings/${ahead}/edit` },
    { name: "mailing-delete", path: `/mailings/${ahead}?confirm=delete`, act: dialog },
    { name: "mailing-gone", path: "/mailings/99999999", status: 404 },
    { name: "delivery", path: delivery },
    { name: "delivery-gone", path: `/mailings/${once}/deliveries/99999999`, status: 404 },
    { name: "reports", path: "/reports" },
  ];
}

async function tick(page: Page): Promise<void> {
  const box = page.locator('tbody input[type="checkbox"]').first();
  const chosen = page.locator('[aria-live="polite"]:not(:empty)').first();
  await expect(async () => {
    await box.uncheck();
    await box.check();
    await expect(chosen).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

async function askToDelete(page: Page): Promise<void> {
  await tick(page);
  await page.locator("#ask-delete-open").click();
  await dialog(page);
}

async function uploadLeft(page: Page): Promise<void> {
  await page.locator('input[name="reason"]').fill("Left elsewhere");
  await page.locator('input[type="file"]').setInputFiles({ name: "left.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await submit(page);
  await expect(page).toHaveURL(/\/suppressions\/import\/\d+/);
}

async function imported(page: Page): Promise<void> {
  await upload(page);
  await submit(page);
  await expect(page.locator('main a[href="/clients"].btn-primary')).toBeVisible();
}
