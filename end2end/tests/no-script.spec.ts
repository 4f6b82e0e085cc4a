// What must work before, or without, any script: log in, create a client, create a mailing.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { BINARY } from "./support/command.ts";
import { expect, test } from "./support/test.ts";

const PASSWORD = "a long enough phrase";

test.use({ javaScriptEnabled: false });

test("log in, create a client and a mailing without scripts", async ({ page, server, problems }) => {
  problems.expectUnfetched(/\.js$/);
  problems.expect(/\/api\//, 422);
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", "anna@example.org", "--name", "Anna"], { env, input: PASSWORD });

  await page.goto("/login");
  await page.getByLabel("Email").fill("anna@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert").first()).toContainText("Email and password do not match.");
  await expect(page.getByLabel("Email")).toHaveValue("anna@example.org");
  await expect(page.getByLabel("Password")).toHaveValue("");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/overview$/);

  await page.goto("/clients/new");
  await page.getByLabel("Email").fill("клиент@пример.рф");
  await page.getByLabel("Full name").fill("Клиент Первый");
  await page.locator("main form button[type=submit]").first().click();
  await expect(page).toHaveURL(/\/clients/);
  await page.goto("/clients");
  await expect(page.locator("main")).toContainText("Клиент Первый");

  await page.goto("/messages/new");
  await page.getByLabel("Subject").fill("Hello {{ full_name }}");
  await page.getByLabel("Body").fill("How are you?");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/messages/);

  await page.goto("/mailings/new");
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Continue" }).click();
  // Nobody is chosen until somebody chooses.
  await expect(page.getByRole("radio", { checked: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert")).toContainText("Choose the clients.");
  // To type a search is to choose what it finds; a search beside another choice is asked about.
  await page.getByRole("radio", { name: /^All clients/ }).check();
  await page.getByLabel("Search among the clients").fill("nobody");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert")).toContainText("Choose one of the two.");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByLabel("Search among the clients")).toHaveValue("nobody");
  await page.getByLabel("Search among the clients").fill("");
  await page.getByRole("radio", { name: /^All clients/ }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("radio", { name: /^Now/ }).check();
  await page.getByLabel("Stop sending at").fill("2099-12-31T10:00");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator("main")).toContainText("1 client");
  await page.getByRole("button", { name: "Send now to 1 person" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send now to 1 person" }).click();
  await expect(page).toHaveURL(/\/mailings\/\d+/);
  await expect
    .poll(async () => {
      await page.reload();
      return page.locator("main").innerText();
    })
    .toMatch(/Sent\s+1\b/);
});

/** Presses what sends the form, whose own checks must not stand in the way of the server's. */
async function send(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

test("a refused form keeps what was typed", async ({ page, server, problems }) => {
  problems.expectUnfetched(/\.js$/);
  problems.expect(/\/api\//, 422);
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", "boris@example.org", "--name", "Boris"], { env, input: PASSWORD });

  await page.goto("/setup?token=nonsense");
  await page.getByLabel("Name", { exact: false }).first().fill("Вера «В» <b>");
  await page.getByLabel("Email").fill("vera@example.org");
  await page.getByLabel("Password").fill("short");
  await send(page, "Create the administrator");
  await expect(page.getByText("A password needs at least 10 characters.")).toBeVisible();
  await expect(page.getByLabel("Name", { exact: false }).first()).toHaveValue("Вера «В» <b>");
  await expect(page.getByLabel("Email")).toHaveValue("vera@example.org");
  await expect(page.getByLabel("Password")).toHaveValue("");
  expect(await page.content()).not.toContain("short\"");

  await page.goto("/login");
  await page.getByLabel("Email").fill("boris@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await send(page, "Log in");
  await expect(page).toHaveURL(/\/overview$/);

  // A client, refused twice: the second time from the page that the first refusal rendered.
  await page.goto("/clients/new");
  await page.getByLabel("Full name").fill("Имя & \"кавычки\"");
  await page.getByLabel("Comment").fill("two\nlines </script><script>1</script>");
  for (const email of ["nobody", "two@@example.org"]) {
    await page.getByLabel("Email").fill(email);
    await send(page, "Save");
    await expect(page.getByText("An email address has exactly one @.")).toBeVisible();
    await expect(page.getByLabel("Email")).toHaveValue(email);
    await expect(page.getByLabel("Full name")).toHaveValue("Имя & \"кавычки\"");
    await expect(page.getByLabel("Comment")).toHaveValue("two\nlines </script><script>1</script>");
  }
  await page.getByLabel("Email").fill("client@example.org");
  await send(page, "Save");
  await expect(page).toHaveURL(/\/clients/);
  await page.goto("/clients/new");
  await expect(page.getByLabel("Full name")).toHaveValue("");

  // A message of 100 KB with a mistake in its template.
  const body = `${"Длинное письмо. ".repeat(3600)}{{ nobody_knows }}`;
  expect(Buffer.byteLength(body)).toBeGreaterThan(100_000);
  await page.goto("/messages/new");
  await page.getByLabel("Subject").fill("Осень {{ full_name }}");
  await page.getByLabel("Body").fill(body);
  await send(page, "Save");
  await expect(page.getByRole("alert").first()).not.toBeEmpty();
  await expect(page.getByLabel("Subject")).toHaveValue("Осень {{ full_name }}");
  await expect(page.getByLabel("Body")).toHaveValue(body);
  await page.getByLabel("Body").fill("Short.");
  await send(page, "Save");
  await expect(page).toHaveURL(/\/messages/);

  // A mailing whose window ends before it begins: back at the step, with everything as it was.
  await page.goto("/mailings/new");
  await page.getByRole("radio").first().check();
  await page.getByLabel("Title").fill("Осенняя");
  await send(page, "Continue");
  await page.getByRole("radio", { name: /^Clients found by a search/ }).check();
  await page.getByLabel("Search among the clients").fill("client");
  await send(page, "Continue");
  await page.getByRole("radio", { name: /^Repeat/ }).check();
  await page.getByLabel("Start", { exact: true }).fill("2099-12-31T10:00");
  await page.getByLabel("Stop sending at").fill("2099-12-30T10:00");
  await page.getByRole("radio", { name: /Weekly/ }).check();
  await send(page, "Continue");
  await expect(page.getByLabel("Stop sending at")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Stop sending at")).toHaveValue("2099-12-30T10:00");
  await expect(page.getByRole("radio", { name: /Weekly/ })).toBeChecked();
  await page.getByLabel("Stop sending at").fill("2100-12-30T10:00");
  await send(page, "Continue");
  await expect(page.locator("main")).toContainText("Осенняя");
});

test.describe("scripts that come late", () => {
  test.use({ javaScriptEnabled: true });

  test("the page of a refused form comes alive with what was typed", async ({ page, server, problems }) => {
    problems.expect(/\/api\//, 422);
    problems.expectUnfetched(/\.(js|wasm)$/);
    const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
    execFileSync(BINARY, ["user", "add", "--email", "clara@example.org", "--name", "Clara"], { env, input: PASSWORD });
    await page.goto("/login");
    await page.getByLabel("Email").fill("clara@example.org");
    await page.getByLabel("Password").fill(PASSWORD);
    await send(page, "Log in");
    await expect(page).toHaveURL(/\/overview$/);

    await page.route(/\/pkg\/.*\.(js|wasm)$/, (route) => route.abort());
    await page.goto("/clients/new");
    await page.getByLabel("Full name").fill("Имя");
    await page.getByLabel("Email").fill("nobody");
    await page.unroute(/\/pkg\/.*\.(js|wasm)$/);
    await send(page, "Save");
    // The scripts put the page's own address back.
    await expect(page).toHaveURL(/\/clients\/new$/);
    await expect(page.getByText("An email address has exactly one @.")).toBeVisible();
    await expect(page.getByLabel("Email")).toHaveValue("nobody");
    await page.getByLabel("Email").fill("somebody@example.org");
    await send(page, "Save");
    await expect(page).toHaveURL(/\/clients(\?.*)?$/);
    await page.getByRole("link", { name: "New client" }).first().click();
    await expect(page).toHaveURL(/\/clients\/new$/);
    await expect(page.getByLabel("Email")).toHaveValue("");
    await expect(page.getByText("An email address has exactly one @.")).toHaveCount(0);
  });
});
