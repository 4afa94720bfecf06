import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findingAsText, invoicesAsText } from "../../src/cli/invoices-verify-text.ts";
import { verifyInvoice, verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { type Database, openDatabase, type Tx } from "../../src/db/database.ts";
import { invoice } from "../../src/db/schema/billing.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { lookAt, openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import { tellBilledStory } from "./billed-story.ts";

let db: Database;
let superuser: Database;
let appUrl: string;
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  const clone = await cloneDatabase();
  appUrl = clone.appUrl;
  db = openDatabase({ url: appUrl, poolSize: 4 });
  superuser = await openAsSuperuser(db);
  const story = await tellBilledStory(db);
  ending.push(story.close, clone.drop, () => Promise.all([db.close(), superuser.close()]));
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

describe("a story in which every kind of invoice is issued", () => {
  test("each is derived again, byte for byte", async () => {
    const steps: number[] = [];
    const verification = await verifyInvoices(db, { onStep: (done) => steps.push(done) });
    expect(invoicesAsText(verification)).toContain("Each is, byte for byte, what its facts make it.");
    expect(verification).toMatchObject({ findings: [], unknown: [] });
    const kinds = await db.orm.selectDistinct({ kind: invoice.kind }).from(invoice);
    expect(kinds.map(({ kind }) => kind).toSorted()).toEqual([
      "activation",
      "credit_purchase",
      "cycle",
      "proration",
    ]);
    expect(steps.at(-1)).toBe(verification.derived);
    await expectInvariants(db);
  });

  test("the command says so, and how much it derived", async () => {
    const ended = await run(appUrl);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toMatch(/\d+ invoices with \d+ lines were derived again from their facts\./);
  });
});

describe("a damage is found and named", () => {
  test.each([
    {
      what: "a line's amount, with the totals made to fit",
      sql: `update billing.invoice_line set amount_minor = amount_minor + 1 where (invoice_id, line) = (select invoice_id, line from
        billing.invoice_line where kind = 'usage' and amount_minor > 0 order by 1, 2 limit 1)`,
      names: /line \d+ amount_minor: is \d+ and should be \d+/,
    },
    {
      what: "a total",
      sql: `update billing.invoice set total_minor = total_minor + 100, subtotal_minor = subtotal_minor + 100
        where id = (select id from billing.invoice where kind = 'activation' order by 1 limit 1)`,
      names: /invoice subtotal_minor: is \d+ and should be \d+/,
    },
    {
      what: "a tier in a line's detail",
      sql: `update billing.invoice_line set detail = jsonb_set(detail, '{cumulativeQuantity}', '"1"')
        where (invoice_id, line) = (select invoice_id, line from billing.invoice_line where kind = 'usage' order by 1, 2 limit 1)`,
      names: /line \d+ detail: is .*"cumulativeQuantity":"1"/,
    },
    {
      what: "a line that is gone",
      sql: `delete from billing.invoice_line where (invoice_id, line) = (select invoice_id, line from billing.invoice_line
        where kind = 'seats' order by 1, 2 limit 1)`,
      names: /line \d+: is nothing and should be \{/,
    },
    {
      what: "a draw on a grant",
      sql: `update billing.credit_draw set amount = amount - 1 where grant_id = 'promo'`,
      names: /draw on promo.* amount: is \d+ and should be \d+/,
    },
    {
      what: "usage that was changed after it was billed",
      sql: `update usage.event set quantities = array[quantities[1] + 1] || quantities[2:] where seq in
        (select seq from usage.event order by seq limit 1)`,
      names: /usage of tokens from 2026-01-01T00:00:00.000Z: is nothing and should be \{"fingerprint"/,
    },
    {
      what: "a price of a plan that was sold",
      sql: `update catalog.plan set definition = replace(definition::text, '"amountMinor": "2000"', '"amountMinor": "2100"')::jsonb`,
      names: /amount_minor: is 2000 and should be 2100/,
    },
    {
      what: "what was known of the customer's balance",
      sql: `update billing.invoice_part set facts = jsonb_set(facts, '{known,customerBalance,amountMinor}', '{"$integer": "7"}')
        where invoice_id = (select id from billing.invoice where kind = 'cycle' and total_minor > 1000 order by id limit 1)`,
      names: /balance_applied_minor: is \d+ and should be 7/,
    },
  ])("$what", async ({ sql, names }) => {
    const findings = await lookAt(superuser, (tx) => withoutGuards(tx, sql), verifyAll);
    expect(findings.map(findingAsText).join("\n")).toMatch(names);
  });

  test("an invoice without its facts is not called good", async () => {
    const unknown = await lookAt(
      superuser,
      (tx) => withoutGuards(tx, "update billing.invoice_part set facts = null"),
      async (tx) => {
        const [first] = await tx.select().from(invoice).limit(1);
        return first && (await verifyInvoice(tx, first)).unknown;
      },
    );
    expect(unknown).toMatchObject({ reason: "what was known when it was issued was not kept" });
  });
});

async function verifyAll(tx: Tx) {
  const found = [];
  for (const row of await tx.select().from(invoice)) found.push(...(await verifyInvoice(tx, row)).findings);
  return found;
}

async function run(url: string): Promise<{ code: number; stdout: string }> {
  const script = join(import.meta.dirname, "../../src/cli/invoices-verify.ts");
  const env = { ...process.env, DATABASE_URL: url };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env });
    return { code: 0, stdout };
  } catch (error) {
    return error as { code: number; stdout: string };
  }
}
