// The main job, whole, as its first user does it: from the set-up link to letters that arrive.
import { shortcut } from "./support/settled.ts";
import { expect, test } from "./support/test.ts";
import { forget } from "./support/visit.ts";

const PASSWORD = "a long enough phrase";

/** 200 clients: Cyrillic names, quotes, an international address; and three lines that cannot be taken. */
function clientsCsv(): string {
  const lines = ["Email,Full name,Comment"];
  for (let n = 1; n <= 198; n += 1) lines.push(`client${n}@example.org,Клиент Номер ${n},"wrote: ""hello"", №${n}"`);
  lines.push("почта@пример.рф,Международный Адрес,idn", `anna@example.net,"Иванова, Анна",`);
  lines.splice(5, 0, "not-an-address,Кто-то,", ",Без адреса,", "two@@example.org,Две Собаки,");
  return lines.join("\n");
}

test("from the first start to 200 letters", async ({ page, server }) => {

  // The first administrator, by the link on the console.
  const [, setup] = await server.consoleLine(/(\/setup\?token=\S+)/);
  await page.goto(setup!);
  await page.getByLabel("Name", { exact: false }).first().fill("Admin");
  await page.getByLabel("Email").fill("admin@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await expect(page).toHaveURL(/\/overview$/);
  await forget(page);

  // A second user, confirmed through the page of caught mail.
  await page.goto("/signup");
  await page.getByLabel("Email").fill("anna@vestnik.example");
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Check your mail");
  await expect
    .poll(async () => {
      await page.goto("/outbox");
      return page.getByRole("link", { name: /Confirm your address/ }).count();
    })
    .toBeGreaterThan(0);
  await page.getByRole("link", { name: /Confirm your address/ }).first().click();
  const link = page.locator('a[href*="/confirm?token="]').first();
  await page.goto((await link.getAttribute("href"))!);
  await page.getByLabel("Name", { exact: false }).first().fill("Анна Ким");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create my account" }).click();
  await expect(page).toHaveURL(/\/overview/);

  // Clients from a file.
  await page.goto("/clients/import");
  await page.locator('input[type="file"]').setInputFiles({
    name: "clients.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(clientsCsv()),
  });
  await page.locator("main form button[type=submit]").click();
  await expect(page).toHaveURL(/\/clients\/import\/\d+/);
  await expect(page.getByText("not-an-address").first()).toBeVisible();
  await page.locator("main form button[type=submit]").first().click();
  await expect
    .poll(async () => {
      await page.goto("/clients");
      return page.getByText(/200 clients/).count();
    })
    .toBeGreaterThan(0);

  // A message with a name in it.
  await page.goto("/messages/new");
  await page.getByLabel("Subject").fill("Каталог для {{ full_name }}");
  await page.getByLabel("Body").fill("# Hello\n\nDear {{ full_name }}, this goes to {{ email }}.");
  await expect(page.frameLocator("iframe").locator("body")).toContainText(/Dear [^{]*, this goes to/);
  await page.getByRole("button", { name: "Send me a test" }).click();
  await expect(page.getByText("A test letter has gone to anna@vestnik.example.")).toBeVisible();
  await shortcut(page, "Control+s");
  await expect(page).toHaveURL(/\/messages(\/\d+)?(\?.*)?$/);
  await expect(page.getByText("The message is saved.")).toBeVisible();

  // A daily mailing that starts now.
  await page.goto("/mailings/new");
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("radio", { name: /All clients/ }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("radio", { name: /^Repeat/ }).check();
  await page.getByLabel("Stop sending at").fill("2099-12-31T10:00");
  await page.getByRole("radio", { name: "Daily", exact: true }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator("main")).toContainText("200 clients");
  await page.getByRole("button", { name: "Send now to 200 people" }).click();
  await expect(page.getByRole("dialog")).toContainText("Send now to 200 people?");
  await page.getByRole("dialog").getByRole("button", { name: "Send now to 200 people" }).click();
  await expect(page).toHaveURL(/\/mailings\/\d+/);
  await expect(page.getByText(/200/).first()).toBeVisible();
  await expect(page.locator("main")).toContainText(/Sent\s*200/, { timeout: 60_000 });

  // The record, as a file: a line for the head and one for each client.
  const href = await page.getByRole("link", { name: "Deliveries as CSV" }).getAttribute("href");
  const csv = await (await page.request.get(href!)).text();
  expect(csv.trim().split("\r\n").length, csv.slice(0, 300)).toBe(201);
  expect(csv).toContain("Клиент Номер 7");

  // What the server said to one of them.
  await page.locator('a[href*="/deliveries/"]:visible').first().click();
  await expect(page.locator("main")).toContainText("250");

  // Language, theme, and out.
  await page.goto("/mailings");
  await page.goto("/language?to=ru&next=/mailings");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Рассылки");
  await page.goto("/theme?to=dark&next=/mailings");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "vestnik-dark");
  await page.evaluate(() => document.querySelector<HTMLFormElement>('form[action="/logout"]')!.submit());
  await expect(page).toHaveURL(/\/$/);
  await page.goto("/");
  await expect(page.locator('form[action="/logout"]')).toHaveCount(0);
});
