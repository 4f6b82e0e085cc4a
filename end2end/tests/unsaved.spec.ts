// A form with changes asks before it is left, and only somebody who has done something on the page.
import { execFileSync } from "node:child_process";
import { BINARY } from "./support/command.ts";
import { logIn } from "./support/demo.ts";
import { expect, test } from "./support/test.ts";
import { goSettled } from "./support/settled.ts";

const OWNER = { email: "owner@example.org", password: "a long enough phrase" };

test("who typed is asked, and no browser complains of what an address filled in", async ({ page, context, server }) => {
  const env = { ...process.env, VESTNIK_DATA_DIR: server.dataDir };
  execFileSync(BINARY, ["user", "add", "--email", OWNER.email, "--name", "Anna"], { env, input: OWNER.password });
  await logIn(page, "en", OWNER);
  const asked: string[] = [];
  const watched = await context.newPage();
  watched.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });

  // A wizard that an address has filled in is begun, but nobody may have touched it. Where Chromium thinks so, it asks nobody,
  // and would complain on its console of a page that wants it.
  await goSettled(watched, "/mailings/new?step=window&title=Autumn");
  await goSettled(watched, "/messages/new");
  asked.length = 0;

  await watched.getByLabel("Subject").click();
  await watched.keyboard.type("Autumn");
  await watched.goto("/clients");
  expect(asked).toEqual(["beforeunload"]);
});
