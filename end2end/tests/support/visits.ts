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

/** What anybody can open. */
export const PUBLIC: Visit[] = [
  { name: "home", path: "/" },
  { name: "login", path: "/login" },
  { name: "signup", path: "/signup" },
  { name: "signup-errors", path: "/signup", refused: /api\/register/, act: wrong({ name: "Анна", email: "anna@example.org", password: "short" }) },
  { name: "signup-sent", path: "/signup/sent" },
  { name: "forgot", path: "/forgot" },
  { name: "forgot-sent", path: "/forgot/sent" },
  { name: "resend", path: "/resend" },
  { name: "code", path: "/login/code" },
  { name: "confirm", path: "/confirm?token=nonsense", status: 409 },
  { name: "invitation", path: "/invitation?token=nonsense", status: 409 },
  { name: "not-found", path: "/nothing/here", status: 404 },
  { name: "outbox-public", path: "/outbox" },
];

/** What a new user sees, who has nothing yet. */
export const EMPTY: Visit[] = [
  { name: "empty-mailings", path: "/mailings" },
  { name: "empty-wizard", path: "/mailings/new" },
  { name: "empty-messages", path: "/messages" },
  { name: "empty-clients", path: "/clients" },
  { name: "empty-reports", path: "/reports" },
  { name: "empty-outbox", path: "/outbox" },
];

/** What an administrator sees beside, whose number is 1. */
export const ADMIN: Visit[] = [
  { name: "settings", path: "/settings" },
  { name: "settings-errors", path: "/settings", refused: /settings\/save/, act: wrong({ sender_email: "nobody", clients: "many" }) },
  { name: "invitations", path: "/invitations", act: invite },
  { name: "audit", path: "/audit" },
  { name: "user-self", path: "/users/1" },
];

async function invite(page: Page): Promise<void> {
  await page.locator('[name="form[email]"]').fill("invited@example.org");
  await submit(page);
  await expect(page.locator("tbody tr").first()).toBeVisible();
}

/** What the demonstration's user sees; the page must be logged in. */
export async function behindLogIn(page: Page): Promise<Visit[]> {
  const first = async (list: string, pattern: RegExp) => {
    const html = await (await page.request.get(list)).text();
    const found = pattern.exec(html)?.[1];
    if (!found) throw new Error(`${list} has no link like ${pattern}`);
    return found;
  };
  const message = await first("/messages", /href="\/messages\/(\d+)"/);
  const client = await first("/clients", /href="\/clients\/(\d+)"/);
  const letter = await first("/outbox", /href="\/outbox\/(\d+)"/);
  const chosen = `message=${message}&clients=all&when=now&zone=Europe/Moscow&period=daily&policy=resend&title=Осень`;
  return [
    ...(await mailings(page)),
    { name: "mailings-none-found", path: "/mailings?q=zzzzzz" },
    { name: "account", path: "/account" },
    { name: "account-security", path: "/account/security" },
    { name: "account-data", path: "/account/data" },
    { name: "mailings-toast", path: "/mailings?done=mailings.deleted" },
    { name: "menu", path: "/mailings", act: (page) => page.locator("details.dropdown summary").click() },
    { name: "wizard-message", path: "/mailings/new" },
    { name: "wizard-clients", path: `/mailings/new?${chosen}&step=clients` },
    { name: "wizard-window", path: `/mailings/new?${chosen}&step=window` },
    { name: "wizard-errors", path: `/mailings/new?${chosen}&end=2020-01-01T10:00&step=review` },
    { name: "wizard-review", path: `/mailings/new?${chosen}&end=2099-12-31T10:00&step=review` },
    { name: "wizard-start", path: `/mailings/new?${chosen}&end=2099-12-31T10:00&step=review&confirm=save`, act: dialog },
    { name: "messages", path: "/messages" },
    { name: "messages-delete", path: "/messages", act: askToDelete },
    { name: "messages-none-found", path: "/messages?q=zzzzzz" },
    { name: "message-new", path: "/messages/new" },
    { name: "message-edit", path: `/messages/${message}`, act: (page) => page.locator("iframe").first().waitFor() },
    { name: "message-gone", path: "/messages/99999999", status: 404 },
    { name: "clients", path: "/clients" },
    { name: "clients-chosen", path: "/clients", act: tick },
    { name: "clients-none-found", path: "/clients?q=zzzzzz" },
    { name: "client-new", path: "/clients/new" },
    { name: "client-errors", path: "/clients/new", refused: /clients\/save/, act: wrong({ email: "a@b..c" }) },
    { name: "client-edit", path: `/clients/${client}` },
    { name: "client-delete", path: `/clients/${client}?confirm=delete`, act: dialog },
    { name: "client-gone", path: "/clients/99999999", status: 404 },
    { name: "import", path: "/clients/import" },
    { name: "import-preview", path: "/clients/import", act: upload },
    { name: "import-done", path: "/clients/import", act: imported },
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

async function imported(page: Page): Promise<void> {
  await upload(page);
  await submit(page);
  await expect(page.locator('main a[href="/clients"].btn-primary')).toBeVisible();
}
