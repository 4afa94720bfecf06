import fc from "fast-check";
import { type Instant, instant } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  customerBalance,
  type JournalEntryDraft,
  prepaidCredits,
  promotionalCredits,
  receivable,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { draft, move } from "./ledger-fixture.ts";

/** Few instants, so that entries meet at one; the ends of months, and later entries with earlier dates among them. */
export const instants: readonly Instant[] = [
  "2025-12-31T23:59:59.999Z",
  "2026-01-01T00:00:00.000Z",
  "2026-01-01T00:00:00.001Z",
  "2026-01-15T12:00:00.000Z",
  "2026-01-31T23:59:59.999Z",
  "2026-02-01T00:00:00.000Z",
  "2026-02-28T10:00:00.000Z",
].map((iso) => instant(iso));

/** Zero, two and three decimals. */
const currencies = ["jpy", "usd", "kwd"].map((code) => currency(code));

/** A customer's accounts: two that are bounded per grant, one balance, one receivable, and revenue that is hot. */
function accountsOf(customerId: string, currencyIndex: number): readonly AccountRef[] {
  const of = currencies[currencyIndex] ?? currency("usd");
  return [
    receivable(customerId, of),
    usageRevenue(customerId, of),
    customerBalance(customerId, of),
    prepaidCredits(customerId, `${customerId}-paid`, of),
    promotionalCredits(customerId, `${customerId}-gift`, of),
  ];
}

/** From 10⁻⁸ of a minor unit to 10²⁸ minor units: a hundred of the largest still fit into one account. */
const anyAmount = fc.oneof(
  fc.constant(1n),
  fc.bigInt({ min: 1n, max: 10n ** 9n }),
  fc.bigInt({ min: 10n ** 35n, max: 10n ** 36n }),
);

const anyPosting = fc.record({ from: fc.nat(4), steps: fc.integer({ min: 1, max: 4 }), amount: anyAmount });

const anyEntry = fc.record({
  currencyIndex: fc.nat(currencies.length - 1),
  effective: fc.nat(instants.length - 1),
  postings: fc.array(anyPosting, { minLength: 1, maxLength: 4 }),
});

/** Batches, each posted in a transaction of its own. */
export const anyBatches = fc.array(fc.array(anyEntry, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 5,
});

export type Batches = typeof anyBatches extends fc.Arbitrary<infer Generated> ? Generated : never;

/** A batch as drafts of one customer. */
export function draftsOf(
  batch: Batches[number],
  customerId: string,
  batchNumber: number,
): JournalEntryDraft[] {
  return batch.map(({ currencyIndex, effective, postings }, index) => {
    const accounts = accountsOf(customerId, currencyIndex);
    const [first] = accounts;
    if (first === undefined) throw new TypeError("a customer has accounts");
    const at = (position: number) => accounts[position % accounts.length] ?? first;
    return draft(
      `${customerId}/${batchNumber}/${index}`,
      postings.map(({ from, steps, amount }) => move(at(from), at(from + steps), amount)),
      {
        customerId,
        currency: first.currency,
        effectiveAt: instants[effective] ?? instant("2026-01-01T00:00:00Z"),
        metadata: index % 2 === 0 ? { invoice_id: `${customerId}-in` } : {},
      },
    );
  });
}
