import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { changeableColumns } from "../../src/db/invariants/table-rules.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { refusal } from "./ledger-fixture.ts";

/** Of each record with a state what may change; everything else is an agreed fact. Usage and access have tests of their own. */
const changeable = Object.fromEntries(
  Object.entries(changeableColumns).filter(([table]) => /^(billing|stripe|notice)[.]/.test(table)),
);

const rowsOfEach = `
  insert into billing.test_clock (id, current_at, target_at) values ('clk', '2026-01-01Z', '2026-01-01Z');
  insert into billing.customer (id, name, email, currency, time_zone, test_clock_id, created_at)
    values ('acme', 'Acme', 'a@acme.test', 'usd', 'UTC', 'clk', '2026-01-01Z');
  insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
      grace_seconds, billed_through)
    values ('sub', 'acme', 'active', '2026-01-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-01-01Z');
  insert into billing.subscription_change (subscription_id, change_id, kind, effective_at, request, lines)
    values ('sub', 'change', 'change_quantity', '2026-01-02Z', '{}', '[]');
  insert into billing.invoice (id, source_key, kind, customer_id, subscription_id, number, status, currency, period_start,
      period_end, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor, issued_at)
    values ('inv', 'key', 'cycle', 'acme', 'sub', 'ACME-0001', 'open', 'usd', '2026-01-01Z', '2026-02-01Z', 5, 0, 0, 5, '2026-02-01Z');
  insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit,
    interval_count, time_zone, effective_at, first, reason_code, requested_by, requested_at)
  select 'again', id, currency, 1, 50, '2026-01-01Z', 'month', 1, 'UTC', '2026-01-01Z', 'at_once', 'contract', 'alice', '2026-01-01Z'
  from billing.customer limit 1;
  insert into billing.number_series values ('series', 1);
  insert into billing.budget_look values ('acme', null);
  insert into billing.dunning (invoice_id, state, attempts, started_at) values ('inv', 'retrying', 1, '2026-02-01Z');
  insert into billing.card_attempt (invoice_id, attempt, customer_id, card, amount_minor, attempted_at) values ('inv', 1, 'acme', 'card', 500, '2026-02-01Z');
  insert into billing.payment values ('pi', 'inv', 'ch', 5, '2026-02-01Z');
  insert into billing.invoice_part (invoice_id, part, subscription_id) values ('inv', 1, 'sub');
  insert into billing.invoice_line (invoice_id, line, kind, earning, description, product, period_start, period_end, amount_minor, exact_minor, detail)
    values ('inv', 1, 'flat', 'deferred', 'Seats', 'seats', '2026-01-01Z', '2026-02-01Z', 5, 5, '{}');
  insert into billing.credit_note_request (id, invoice_id, customer_id, currency, total_minor, reason_code, requested_by, requested_at,
      approval_limit_minor, destination)
    values ('note', 'inv', 'acme', 'usd', 5, 'goodwill', 'alice', '2026-02-02Z', 100, 'refund');
  insert into billing.credit_note_line values ('note', 'inv', 1, 5);
  insert into billing.credit_note (id, number, lowers_due_minor, to_balance_minor, to_refund_minor, issued_by, issued_at)
    values ('note', 'CN-1', 0, 0, 5, 'alice', '2026-02-02Z');
  insert into stripe.copy_change (credit_note_id, invoice_id, due_before_minor, due_after_minor, given_back_minor)
    values ('note', 'inv', 0, 0, 5);
  insert into billing.refund (id, credit_note_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor, requested_at, changed_at)
    values ('rf', 'note', 'inv', 'acme', 'pi', 'usd', 5, '2026-02-02Z', '2026-02-02Z');
  insert into billing.invoice_dispute (stripe_dispute_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor, reason,
      opened_at, status, is_open, withdrawn_minor, changed_at)
    values ('dp', 'inv', 'acme', 'pi', 'usd', 5, 'fraudulent', '2026-02-02Z', 'needs_response', true, 0, '2026-02-02Z');
  insert into stripe.balance_transaction (id, type, reporting_category, currency, amount, fee, net, created_at, available_on)
    values ('txn', 'charge', 'charge', 'usd', 5, 1, 4, '2026-02-01Z', '2026-02-03Z');
  insert into stripe.import_position (list) values ('balance_transactions');
  insert into billing.anomaly (id, kind, key, subject_type, subject_id, evidence, found_at, changed_at)
    values ('case', 'zero_invoice', 'key', 'invoice', 'in', '{}', now(), now());
  insert into stripe.payout (id, currency, amount, is_automatic, created_at, arrives_at, status, changed_at)
    values ('po', 'usd', 4, true, '2026-02-03Z', '2026-02-05Z', 'pending', '2026-02-03Z');
  insert into stripe.operation (key, operation, request_hash, body, state, first_sent_at)
    values ('key', 'pay', 'hash', '{}', 'sent', '2026-02-01Z');
  insert into stripe.webhook_inbox (event_id, type, body) values ('evt', 'invoice.paid', '{}');
  insert into stripe.pace values ('account', '2026-02-01Z');
  insert into catalog.meter (key, version, definition) values ('calls', 1, '{}');
  insert into stripe.meter_push (meter, customer_id, window_start, revision, event_name, kind, value, identifier)
    select min(number), 'acme', '2026-02-01Z', 1, 'tokens', 'usage', 1, 'id' from catalog.meter;
  insert into notice.notice (id, key, kind, customer_id, subject, occurred_at)
    values ('notice', 'key', 'invoice.issued', 'acme', '{}', '2026-02-01Z');
  insert into notice.endpoint (id, url, state, reason, created_at)
    values ('endpoint', 'https://a.example', 'disabled', 'requested', '2026-02-01Z');
  insert into notice.endpoint_secret values ('endpoint', 1, decode(repeat('00', 40), 'hex'), '2026-02-01Z', null);
  insert into notice.mail_preference values ('acme', '{}', '2026-02-01Z');
  insert into notice.delivery (id, notice_id, endpoint_id, receiver, next_attempt_at, created_at)
    values ('delivery', 'notice', 'endpoint', 'endpoint', '2026-02-01Z', '2026-02-01Z')`;

let db: Database;
let owner: Database;
let columns: { table: string; column: string; type: string }[];
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const { appUrl, ownerUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 1 });
  owner = openDatabase({ url: ownerUrl, poolSize: 1 });
  ending.push(drop, () => Promise.all([db.close(), owner.close()]));
  await owner.sql.unsafe(rowsOfEach);
  columns = await owner.sql`
    select table_schema || '.' || table_name as table, column_name as column, udt_name as type
    from information_schema.columns where table_schema || '.' || table_name = any (${Object.keys(changeable)}) and is_identity = 'NO'
    order by 1, ordinal_position`;
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const isChangeable = ({ table, column }: { table: string; column: string }) =>
  changeable[table]?.includes(column) ?? false;

/** Another value than any that is there. */
const otherValues: Readonly<Record<string, string>> = {
  text: "'other'",
  timestamptz: "'2030-01-01Z'",
  int4: "77",
  int8: "77",
  numeric: "77",
  bool: "false",
  jsonb: "'[77]'",
  bytea: "decode('77', 'hex')",
};

describe("of a record with a state", () => {
  test("the application may change the state, and no other column", async () => {
    const outcomes = await Promise.all(
      columns.map(async ({ table, column }) => ({
        table,
        column,
        code: await refusal(db.sql.unsafe(`update ${table} set ${column} = ${column}`)),
      })),
    );
    expect(outcomes.length).toBeGreaterThan(70);
    const refused = outcomes.filter(({ code }) => code === "42501");
    expect(refused).toEqual(outcomes.filter((outcome) => !isChangeable(outcome)));
  });

  test("not even the owner can change another column", async () => {
    for (const { table, column, type } of columns.filter((each) => !isChangeable(each))) {
      const update = owner.sql.unsafe(`update ${table} set ${column} = ${otherValues[type]}`);
      expect({ table, column, code: await refusal(update) }).toEqual({ table, column, code: "RK001" });
    }
  });

  test.each(Object.keys(changeable))("no row of %s is ever removed", async (table) => {
    expect(await refusal(owner.sql.unsafe(`delete from ${table}`))).toBe("RK001");
    expect(await refusal(owner.sql.unsafe(`truncate ${table} cascade`))).toBe("RK001");
    expect(await refusal(db.sql.unsafe(`delete from ${table}`))).toBe("42501");
    expect(await refusal(db.sql.unsafe(`truncate ${table} cascade`))).toBe("42501");
  });

  test("the refusal names what was to be changed", async () => {
    const update = "update billing.invoice set total_minor = 0, currency = 'eur', status = 'void'";
    await expect(owner.sql.unsafe(update)).rejects.toThrow(
      /billing.invoice is refused: currency, total_minor may not/,
    );
  });

  test("a column that comes later is fixed as well", async () => {
    await owner.sql.unsafe("alter table billing.invoice add column discount_minor bigint");
    const update = "update billing.invoice set discount_minor = 5";
    expect(await refusal(db.sql.unsafe(update))).toBe("42501");
    expect(await refusal(owner.sql.unsafe(update))).toBe("RK001");
  });
});

test("a change goes on one invoice, once", async () => {
  const onInvoice = (id: string | null) => db.sql`update billing.subscription_change set invoice_id = ${id}`;
  await onInvoice("inv");
  expect(await refusal(onInvoice("other"))).toBe("RK001");
  expect(await refusal(onInvoice(null))).toBe("RK001");
});

test.each(["paid", "void"])("an invoice that is %s stays so", async (status) => {
  const id = `inv-${status}`;
  await owner.sql`
    insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor,
      credits_applied_minor, balance_applied_minor, total_minor, issued_at)
    values (${id}, ${id}, 'cycle', 'acme', ${id}, 'open', 'usd', 5, 0, 0, 5, '2026-02-01Z')`;
  const become = (to: string) =>
    db.sql`update billing.invoice set status = ${to}, paid_at = ${to === "paid" ? "2026-02-02Z" : null} where id = ${id}`;
  await become(status);
  for (const other of ["open", "uncollectible", status === "paid" ? "void" : "paid"])
    expect(await refusal(become(other))).toBe("RK001");
  await become(status);
});
