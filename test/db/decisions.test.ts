import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** Who may decide about what waits, as the database judges it, whatever is decided about. */

let db: Database;
let owner: Database;
const ending: (() => Promise<unknown>)[] = [];

const customer = `insert into billing.customer (id, name, email, currency, time_zone, created_at)
  values ('acme', 'Acme', 'a@acme.test', 'usd', 'UTC', '2026-01-01Z')`;

/** With no limit a request always waits for a second key. */
const requests = {
  adjustment: `insert into billing.adjustment (id, kind, customer_id, currency, change, reason_code, requested_by, requested_at)
    values ($1, 'credit_balance', 'acme', 'usd', 100000000, 'goodwill', 'alice', '2026-01-05Z')`,
  recurring_grant: `insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit,
      interval_count, time_zone, effective_at, first, reason_code, requested_by, requested_at)
    values ($1, 'acme', 'usd', 1, 50, '2026-01-01Z', 'month', 1, 'UTC', '2026-01-01Z', 'at_once', 'contract', 'alice', '2026-01-01Z')`,
  credit_note: `insert into billing.credit_note_request
      (id, invoice_id, customer_id, currency, total_minor, reason_code, requested_by, requested_at)
    values ($1, 'inv', 'acme', 'usd', 5, 'goodwill', 'alice', '2026-02-02Z')`,
};
const invoice = `insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor,
    credits_applied_minor, balance_applied_minor, total_minor, issued_at)
  values ('inv', 'key', 'proration', 'acme', 'ACME-0001', 'open', 'usd', 5, 0, 0, 5, '2026-02-01Z')`;

beforeAll(async () => {
  const { appUrl, ownerUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 1 });
  owner = openDatabase({ url: ownerUrl, poolSize: 1 });
  ending.push(drop, () => Promise.all([db.close(), owner.close()]));
  await owner.sql.unsafe(customer);
  await owner.sql.unsafe(invoice);
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

describe.each(Object.entries(requests))("a decision about one %s", (name, request) => {
  const decide = (id: string, outcome: string, by: string) =>
    db.sql.unsafe(
      `insert into billing.${name}_decision (${name}_id, outcome, decided_by, note, decided_at)
       values ($1, $2, $3, 'seen', '2026-01-06Z')`,
      [id, outcome, by],
    );
  const refusalOf = (id: string, outcome: string, by: string) => ({
    code: "RK010",
    message:
      `${name.replaceAll("_", " ")} ${id} cannot be ${outcome} by ${by}: ` +
      "it waits for somebody else, and only its requester may withdraw it",
  });

  test("that nobody asked for is refused", async () => {
    await expect(decide("none", "approved", "bob")).rejects.toMatchObject(
      refusalOf("none", "approved", "bob"),
    );
  });

  test("is another's, except for taking it back", async () => {
    await db.sql.unsafe(request, ["own"]);
    for (const [outcome, by] of [
      ["approved", "alice"],
      ["rejected", "alice"],
      ["withdrawn", "bob"],
    ] as const) {
      await expect(decide("own", outcome, by)).rejects.toMatchObject(refusalOf("own", outcome, by));
    }
    await decide("own", "withdrawn", "alice");
    await db.sql.unsafe(request, ["others"]);
    await decide("others", "approved", "bob");
  });
});
