import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, inTransaction, rows, sql, type Tx } from "../../src/db/database.ts";
import { findByName, findCustomersByPart, findInvoicesByBeginning } from "../../src/db/reports/search.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** Enough that reading all of a table costs more than an index does. */
const customers = 40_000;

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await insertAsOwner(
    api.ownerUrl,
    `insert into billing.customer (id, name, email, currency, time_zone, stripe_customer_id, created_at)
      select 'cus_' || n, initcap(substr(md5(n::text), 1, 9)) || ' Ltd', md5(n::text) || '@example.com', 'usd', 'UTC', 'cus_stripe' || n, '2026-01-01Z'
      from generate_series(1, ${customers}) as n;
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
      values ('acme', 'Acme Österreich', 'billing@acme.test', 'usd', 'UTC', '2026-01-01Z'),
        ('percent', '100% _sure_ \\', 'o''hara@quote.test', 'usd', 'UTC', '2026-01-01Z');
    insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency, grace_seconds, billed_through)
      values ('sub_acme', 'acme', 'active', '2026-01-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-01-01Z');
    insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor, issued_at, stripe_invoice_id)
      select 'in_' || n, 'k' || n, 'proration', 'cus_' || n, 'CUS' || n || '-0001', 'open', 'usd', 1, 0, 0, 1, '2026-02-01Z', 'in_stripe' || n
      from generate_series(1, ${customers}) as n;
    insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor, issued_at, stripe_invoice_id)
      values ('in_acme', 'k', 'proration', 'acme', 'ACME-0002', 'open', 'usd', 1, 0, 0, 1, '2026-02-01Z', 'in_1Stripe');
    insert into billing.payment (stripe_payment_intent_id, invoice_id, stripe_charge_id, amount_minor, received_at)
      values ('pi_acme', 'in_acme', 'ch_acme', 1, '2026-02-02Z');
    analyze billing.customer; analyze billing.invoice`,
  );
});
afterAll(() => api.stop());

const find = async (q: string) => {
  const { status, body } = await api.call("GET", `/v1/search?q=${encodeURIComponent(q)}`);
  expect(status).toBe(200);
  return body.data as { type: string; id: string; title: string; customer: unknown; invoice: unknown }[];
};

describe("anything is found", () => {
  test.each([
    { q: "acme", finds: "customer acme", why: "an id of ours" },
    { q: "ACME ÖSTER", finds: "customer acme", why: "part of a name, in whatever case" },
    { q: "billing@acme", finds: "customer acme", why: "part of an e-mail address" },
    { q: "cus_stripe17", finds: "customer cus_17", why: "Stripe's id of a customer" },
    { q: "100% _sure_ \\", finds: "customer percent", why: "what stands for others in patterns" },
    { q: "o'hara@quote", finds: "customer percent", why: "a quote" },
    { q: "sub_acme", finds: "subscription sub_acme", why: "a subscription" },
    { q: "subscription/sub_acme", finds: "subscription sub_acme", why: "a workflow" },
    { q: "cycle/sub_acme/2026-01-01T00:00:00.000Z", finds: "subscription sub_acme", why: "a cycle's run" },
    { q: "dunning/in_acme", finds: "invoice in_acme", why: "a run about an invoice" },
    { q: "acme-0002", finds: "invoice in_acme", why: "an invoice's number" },
    { q: "ACME-00", finds: "invoice in_acme", why: "how its number begins" },
    { q: "in_1Stripe", finds: "invoice in_acme", why: "Stripe's id of an invoice" },
    { q: "ch_acme", finds: "payment pi_acme", why: "Stripe's id of a charge" },
  ])("$q is $why", async ({ q, finds }) => {
    const [first] = await find(q);
    expect(`${first?.type} ${first?.id}`).toBe(finds);
  });

  test("with what it is called, whose it is and where it is seen", async () => {
    expect((await find("pi_acme"))[0]).toEqual({
      type: "payment",
      id: "pi_acme",
      title: "pi_acme",
      customer: { id: "acme", name: "Acme Österreich" },
      invoice: "in_acme",
    });
  });

  test.each(["zz", "%%%", "nobody at all", "99999999999999999999", "\u{1F9FE}"])(
    "%s finds nothing, and is no error",
    async (q) => expect(await find(q)).toEqual([]),
  );

  test("once each, and no more than were asked for", async () => {
    const found = await find("acme");
    expect(new Set(found.map(({ type, id }) => type + id)).size).toBe(found.length);
    const { body } = await api.call("GET", "/v1/search?q=Ltd&limit=3");
    expect(body.data).toHaveLength(3);
  });
});

describe("among very many rows none of the big tables is read from end to end", () => {
  test.each([
    { what: "a name", ask: (tx: Tx) => findByName(tx, ["acme", "ACME"]) },
    { what: "how a number begins", ask: (tx: Tx) => findInvoicesByBeginning(tx, "CUS17", 20) },
    { what: "a part", ask: (tx: Tx) => findCustomersByPart(tx, "a1b2c3d4e5f60718@example", 20) },
  ])("$what", async ({ ask }) => expect(await scannedWhole(api.db, ask)).toEqual([]));
});

/** The big tables that a read goes through from end to end. */
async function scannedWhole(db: Database, ask: (tx: Tx) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  await inTransaction(db, async (tx) => {
    // Among millions it would not be considered; here it would be cheap enough.
    await tx.execute(sql`set local enable_seqscan = off`);
    const explaining = {
      execute: async (query: Parameters<Tx["execute"]>[0]) => {
        plans.push(
          JSON.stringify(await rows(tx, sql`explain (format json) ${query as ReturnType<typeof sql>}`)),
        );
        return [];
      },
    };
    await ask(explaining as unknown as Tx);
  });
  return plans.flatMap((plan) =>
    [...plan.matchAll(/"Seq Scan"[^{}]*?"Relation Name":"(customer|invoice)"/g)].map(
      ([, table]) => `${table}`,
    ),
  );
}
