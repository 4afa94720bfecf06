/** A rule as a query that returns the rows that break it: none, ever. Its name begins with the invariant it belongs to. */
export interface InvariantQuery {
  readonly name: `V${number}: ${string}`;
  readonly sql: string;
}

/** How long things may take that must come to an end, in seconds. */
export interface InvariantLimits {
  /** Money in a clearing account. */
  readonly clearing: number;
  /** A call to Stripe without an outcome: after this its key cannot be trusted any more. */
  readonly stripeOperation: number;
  /** A webhook that was received and not applied. */
  readonly webhook: number;
  /** A period past the end of its grace, an invoice without a charge, a retry that was due. */
  readonly billing: number;
  /** A hold past its expiry. */
  readonly hold: number;
  /** An event in quarantine. */
  readonly quarantine: number;
  /** An adjustment, or a correction of usage, that waits for somebody to decide. */
  readonly approval: number;
}

const hour = 3_600;

export const usualLimits: InvariantLimits = {
  clearing: hour,
  stripeOperation: 20 * hour,
  webhook: hour,
  billing: hour,
  hold: 60,
  quarantine: 7 * 24 * hour,
  approval: 30 * 24 * hour,
};

/** What time it is for a customer: the test clock's where there is one, else the database's. One row per customer. */
export const customerTime = `
  select customer.id as customer_id, coalesce(clock.current_at, now()) as now
  from billing.customer as customer left join billing.test_clock as clock on clock.id = customer.test_clock_id`;

/** An SQL expression for a number of seconds. */
export const seconds = (limit: number): string => `make_interval(secs => ${Number(limit)})`;

/** An SQL expression for amounts in the ledger's unit, 10⁻⁸ of a minor unit. */
export const inLedgerUnits = (minorUnits: string): string => `(${minorUnits}) * 100000000::numeric`;

/** The same of an exact amount, rounded half-even as the domain does. */
export function inWholeLedgerUnits(minorUnits: string): string {
  const exact = inLedgerUnits(minorUnits);
  return `case when abs(${exact} - trunc(${exact})) = 0.5 then 2 * round((${exact}) / 2) else round(${exact}) end`;
}

/** An SQL expression for an instant as keys spell it, `2026-01-31T00:00:00.000Z`. */
export const isoText = (at: string): string =>
  `to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Every rating run by the name that entries give it: `sub/2026-01-01T00:00:00.000Z` for the first of a period, with a number
 * behind it for each later one: further thresholds, the closing behind them, corrections, and what bills it anew after a void.
 */
export const cycles = `
  select subscription_id || '/' || ${isoText("period_start")} || case when revision > 0 then '/' || revision else '' end as id,
    subscription_id, period_start, period_end, revision, after_revision, invoice_id,
    kind = 'closing' and revision = min(revision) filter (where kind = 'closing')
      over (partition by subscription_id, period_start) as is_first_closing
  from billing.rating_run`;

/** Every posting twice, once for each account it touches: positive where it is the debit, negative where the credit. */
export const sides = `
  select posting.entry_id, entry.kind, entry.cause_type, entry.cause_id, entry.customer_id, entry.currency, entry.effective_at,
    entry.metadata, account.code, account.dimensions, side.amount
  from ledger.posting as posting
  join ledger.journal_entry as entry on entry.id = posting.entry_id
  cross join lateral (values (posting.debit_account, posting.amount), (posting.credit_account, -posting.amount))
    as side (account_id, amount)
  join ledger.account as account on account.id = side.account_id`;
