import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import { webhookReceiver } from "./support/receiver.ts";
import { newTestKey, refusalOf, sdk } from "./support/sandbox.ts";

let folder: string;
let journalPath: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stripe-journal-"));
  journalPath = join(folder, "journal");
});
afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

let url = "";

async function startChild(): Promise<string> {
  child = fork(join(import.meta.dirname, "support", "sandbox-process.ts"), [journalPath]);
  [url] = await once(child, "message");
  return url;
}

async function arm(apiKey: string, fault: object): Promise<void> {
  const headers = { Authorization: `Bearer ${apiKey}` };
  await fetch(`${url}/_sandbox/faults`, { method: "POST", headers, body: JSON.stringify(fault) });
}

async function killChild(): Promise<void> {
  const exited = child && once(child, "exit");
  child?.kill("SIGKILL");
  await exited;
}

test("what a client was told survives SIGKILL: objects, keys, numbers, and undelivered webhooks", async () => {
  const apiKey = newTestKey();
  const receiver = await webhookReceiver();
  const before = sdk(await startChild(), apiKey);
  await before.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ["customer.created", "invoice.finalized"],
  });
  const customer = await before.customers.create({ name: "Ada" }, { idempotencyKey: "ada" });
  await expect.poll(() => receiver.received.length).toBe(1);
  // Held back for longer than the process lives.
  await arm(apiKey, { action: "delay", milliseconds: 400, match: "invoice.finalized" });
  const draft = await before.invoices.create({ customer: customer.id });
  await before.invoices.addLines(draft.id, { lines: [{ amount: 1500 }] });
  const open = await before.invoices.finalizeInvoice(draft.id);
  await killChild();
  expect(receiver.types()).not.toContain("invoice.finalized");

  const after = sdk(await startChild(), apiKey);
  expect(await after.customers.retrieve(customer.id)).toMatchObject({ name: "Ada" });
  expect((await after.customers.create({ name: "Ada" }, { idempotencyKey: "ada" })).id).toBe(customer.id);
  const refusal = await refusalOf(after.customers.create({ name: "Eve" }, { idempotencyKey: "ada" }));
  expect(refusal).toMatchObject({ rawType: "idempotency_error" });
  expect(await after.invoices.retrieve(draft.id)).toMatchObject({
    status: "open",
    total: 1500,
    number: open.number,
  });
  expect((await after.customers.create()).id).not.toBe(customer.id);
  await expect.poll(() => receiver.types(), { timeout: 3000 }).toContain("invoice.finalized");
  await receiver.close();
});

test("a torn last line is cut off and writing goes on behind it", async () => {
  const apiKey = newTestKey();
  const first = await startStripeSandbox({ port: 0, journalPath });
  const kept = await sdk(first.url, apiKey).customers.create({ name: "kept" });
  await first.close();
  appendFileSync(journalPath, '{"account":"acct_torn","sequ');

  const second = await startStripeSandbox({ port: 0, journalPath });
  const added = await sdk(second.url, apiKey).customers.create({ name: "added" });
  await second.close();
  const third = await startStripeSandbox({ port: 0, journalPath });
  const { data } = await sdk(third.url, apiKey).customers.list();
  await third.close();
  expect(data.map(({ id }) => id)).toEqual([added.id, kept.id]);
});

test("the journal holds no API key", async () => {
  const apiKey = newTestKey();
  const sandbox = await startStripeSandbox({ port: 0, journalPath });
  await sdk(sandbox.url, apiKey).customers.create({ name: "Ada" });
  await sandbox.close();
  const journal = readFileSync(journalPath, "utf8");
  expect(journal).toContain("Ada");
  expect(journal).not.toContain(apiKey);
});

test("a reset is remembered, and no id is given twice", async () => {
  const apiKey = newTestKey();
  const first = await startStripeSandbox({ port: 0, journalPath });
  const { id } = await sdk(first.url, apiKey).customers.create();
  const headers = { Authorization: `Bearer ${apiKey}` };
  await fetch(`${first.url}/_sandbox/reset`, { method: "POST", headers });
  await first.close();

  const second = await startStripeSandbox({ port: 0, journalPath });
  const { customers } = sdk(second.url, apiKey);
  expect((await customers.list()).data).toEqual([]);
  expect((await customers.create()).id).not.toBe(id);
  await second.close();
});

test("an endpoint given at the start is one endpoint however often it starts, with the latest secrets", async () => {
  const apiKey = newTestKey();
  const receiver = await webhookReceiver();
  const start = (...secrets: string[]) =>
    startStripeSandbox({ port: 0, journalPath, webhook: { apiKey, url: receiver.url, secrets } });
  const first = await start("whsec_old");
  const [before] = (await sdk(first.url, apiKey).webhookEndpoints.list()).data;
  await first.close();

  const second = await start("whsec_old", "whsec_new");
  const client = sdk(second.url, apiKey);
  const { data } = await client.webhookEndpoints.list();
  expect(data.map(({ id }) => id)).toEqual([before?.id]);
  expect(data[0]).not.toHaveProperty("secret");
  await client.customers.create();
  await expect.poll(() => receiver.received.length).toBe(1);
  const [post] = receiver.received;
  const signature = String(post?.headers["stripe-signature"]);
  for (const secret of ["whsec_old", "whsec_new"]) {
    const event = client.webhooks.constructEvent(post?.rawBody ?? "", signature, secret);
    expect(event.type).toBe("customer.created");
  }
  expect(() => client.webhooks.constructEvent(post?.rawBody ?? "", signature, "whsec_other")).toThrow();
  await second.close();
  await receiver.close();
});
