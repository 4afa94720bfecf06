import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { suppressKinds } from "../../src/db/notices/mail-preferences.ts";
import { type Mailbox, startMailbox } from "../../src/sandbox/mailbox/mailbox.ts";
import { type MailSender, smtpSender } from "../../src/workers/notice-mail.ts";
import { PostOffice, until } from "./support/post-office.ts";

let office: PostOffice;
let mailbox: Mailbox;
let mail: MailSender;
const from = "Café Billing <billing@reckoner.test>";
beforeEach(async () => {
  office = await PostOffice.open();
  mailbox = await startMailbox({ host: "127.0.0.1", port: 0, smtpPort: 0 });
  mail = smtpSender({ url: mailbox.smtpUrl, from });
});
afterEach(async () => {
  await office.close();
  mail.close();
  await mailbox.close();
});

test("a customer gets a mail in text and HTML, and the mailbox shows it", async () => {
  const id = await office.tell("card/1");
  office.start({ mail });
  await until(() => mailbox.mails.length === 1);
  const [read] = mailbox.mails;
  expect(read).toMatchObject({
    from: "Café Billing <billing@reckoner.test>",
    to: "billing@acme.test",
    subject: "Your card ending in 4242 expires soon",
    messageId: `<${id}.email@reckoner.test>`,
  });
  expect(read?.text).toContain("Hello Acme <Robotics>,");
  expect(read?.html).toContain("Hello Acme &lt;Robotics&gt;,");
  expect(read?.html).toContain("Visa ending in 4242");
  const list = await (await fetch(mailbox.url)).text();
  expect(list).toContain("Your card ending in 4242 expires soon");
  const shown = await fetch(`${mailbox.url}/mails/${read?.id}/html`);
  expect(await shown.text()).toBe(read?.html);
  const { attempts } = await office.delivery(`${id}.email`, ({ state }) => state === "delivered");
  expect(attempts).toMatchObject([{ outcome: "delivered", status: 250 }]);
});

test("no mail is sent of a kind that the customer has declined, nor where there is nobody to send it", async () => {
  await suppressKinds(office.db.orm, "acme", ["payment_method.expiring"], office.now());
  const declined = await office.tell("card/1");
  const delivering = office.start({ mail });
  const composed = async () =>
    (await office.db.sql`select from notice.notice where composed_at is null`).length === 0;
  await until(composed);
  expect((await office.look(`${declined}.email`)).state).toBeUndefined();
  await delivering.stop();
  await suppressKinds(office.db.orm, "acme", [], office.now());
  const unsent = await office.tell("card/2");
  office.start();
  await until(composed);
  expect((await office.look(`${unsent}.email`)).state).toBeUndefined();
  expect(mailbox.mails).toEqual([]);
});

test("a server that refuses, or is away, is tried again", async () => {
  const refusing = createServer((socket) => socket.end("554 no service here\r\n"));
  await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
  const { port } = refusing.address() as AddressInfo;
  const other = smtpSender({ url: `smtp://127.0.0.1:${port}`, from });
  const id = await office.tell("card/1");
  const delivering = office.start({ mail: other });
  const first = await office.delivery(`${id}.email`, ({ attempts }) => attempts.length === 1);
  expect(first).toMatchObject({ state: "waiting", attempts: [{ outcome: "failed", status: 554 }] });
  await delivering.stop();
  other.close();
  await new Promise((resolve) => refusing.close(resolve));
  office.pass(60_000);
  office.start({ mail });
  await office.delivery(`${id}.email`, ({ state }) => state === "delivered");
  expect(mailbox.mails).toHaveLength(1);
});
