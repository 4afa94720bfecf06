import fc from "fast-check";
import { type Instant, instant } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  customerBalance,
  deferredRevenue,
  prepaidCredits,
  promotionalOffset,
  receivable,
  unbilledReceivable,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { type Currency, currency } from "../../src/domain/money/index.ts";

/**
 * What can be asked of the ledger, as plain data: "the third entry before", not an id, so that any sequence makes sense,
 * and is still the same one when parts of it are left out.
 */
export type Operation =
  | { readonly do: "post"; readonly entries: readonly EntrySpec[] }
  | { readonly do: "place"; readonly holds: readonly HoldSpec[] }
  | { readonly do: "settle"; readonly settlements: readonly SettlementSpec[] }
  | { readonly do: "release"; readonly holds: readonly number[] }
  | { readonly do: "expire"; readonly at: number }
  | { readonly do: "close"; readonly month: number }
  | { readonly do: "carry" | "fold" | "prepare" | "seal" }
  /** Goes on with an entry id so far before the end of its partition. */
  | { readonly do: "jump"; readonly idsLeft: number };

export type EntrySpec =
  | { readonly is: "fresh"; readonly content: EntryContent }
  /** Of one that was sent before: the same, or under another key; or other content with its key and event, or one of these. */
  | { readonly is: "again" | "renamed"; readonly of: number }
  | {
      readonly is: "altered" | "same_key" | "same_event";
      readonly of: number;
      readonly content: EntryContent;
    }
  | { readonly is: "reversal"; readonly of: number; readonly how: ReversalKind };

export type ReversalKind =
  | "mirrored"
  | "under_another_event"
  | "other_amount"
  | "line_more"
  | "not_swapped"
  | "of_nothing";

export interface EntryContent {
  readonly currency: number;
  readonly postings: readonly { readonly from: number; readonly steps: number; readonly amount: bigint }[];
  readonly at: number;
  readonly whenClosed?: "refuse" | "next_open_month" | undefined;
  /** Of the first posting's debit. */
  readonly wrongAccount?: "other_currency" | "not_in_chart" | undefined;
}

export type HoldSpec =
  | {
      readonly is: "fresh";
      readonly currency: number;
      readonly lines: readonly {
        readonly account: number;
        readonly amount: bigint;
        readonly more: bigint | null;
      }[];
      readonly hours: number;
    }
  | { readonly is: "again" | "later" | "altered"; readonly of: number };

export interface SettlementSpec {
  /** -1: one that was never placed. */
  readonly hold: number;
  /** What was held in each line and so much more, or less; or any entry. */
  readonly costs: bigint | EntrySpec;
}

const currencies: readonly Currency[] = ["usd", "jpy", "kwd"].map((code) => currency(code));
export const currencyAt = (index: number): Currency => at(currencies, index);

/** With a floor, and thus holdable, first: two grants, what was paid in advance, a balance. Then a receivable, which keeps
 * its lines, one that does not, and two hot ones. */
export const accountsOf = (of: Currency): readonly AccountRef[] => [
  prepaidCredits("acme", "g1", of),
  prepaidCredits("acme", "g2", of),
  deferredRevenue("acme", "s1", of),
  customerBalance("acme", of),
  receivable("acme", of),
  unbilledReceivable("acme", of),
  usageRevenue("tokens", of),
  promotionalOffset(of),
];
const accountCount = 8;
const boundedCount = 4;

export const months: readonly string[] = [
  "2025-12-01",
  "2026-01-01",
  "2026-02-01",
  "2026-03-01",
  "2026-04-01",
  "2026-05-01",
];

/** Few, so that entries meet at one; ends of months, and instants before the first of them, among them. */
export const instants: readonly Instant[] = [
  "2025-11-30T23:59:59.999Z",
  "2026-01-01T00:00:00.000Z",
  "2026-01-31T23:59:59.999Z",
  "2026-02-01T00:00:00.000Z",
  "2026-02-14T12:00:00.000Z",
  "2026-03-15T12:00:00.000Z",
  "2026-05-31T23:59:59.999Z",
  "2026-06-01T00:00:00.000Z",
].map((iso) => instant(iso));

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError("nothing to choose from");
  return item;
}

/** Plain objects only, so that what failed can be copied from the report. */
const record = <const T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true });

const anyAmount = fc.oneof(
  { weight: 12, arbitrary: fc.bigInt(1n, 20n) },
  { weight: 1, arbitrary: fc.bigInt(10n ** 37n, 10n ** 38n - 1n) },
);

/** Towards the accounts that have a floor, or else they would all be empty. */
const anyFunding = record({
  from: fc.integer({ min: boundedCount, max: accountCount - 1 }),
  steps: fc.constantFrom(0, 1, 2, 3),
  amount: fc.oneof({ weight: 12, arbitrary: fc.bigInt(10n, 60n) }, { weight: 1, arbitrary: anyAmount }),
}).map(({ from, steps, amount }) => ({ from, steps: accountCount - from + steps, amount }));

const anyPosting = fc.oneof(
  { weight: 2, arbitrary: anyFunding },
  {
    weight: 3,
    arbitrary: record({
      from: fc.nat(accountCount - 1),
      steps: fc.integer({ min: 1, max: accountCount - 1 }),
      amount: anyAmount,
    }),
  },
);

const anyContent: fc.Arbitrary<EntryContent> = record({
  currency: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(1, 2) },
  ),
  postings: fc.array(anyPosting, { minLength: 1, maxLength: 3 }),
  at: fc.nat(instants.length - 1),
  whenClosed: fc.constantFrom(undefined, undefined, "refuse", "next_open_month"),
  wrongAccount: fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom("other_currency", "not_in_chart") },
  ),
});

/** Counted backwards from the newest. */
const anyEarlier = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) });

const anyEntry: fc.Arbitrary<EntrySpec> = fc.oneof(
  { weight: 14, arbitrary: record({ is: fc.constant("fresh"), content: anyContent }) },
  { weight: 4, arbitrary: record({ is: fc.constantFrom("again", "renamed"), of: anyEarlier }) },
  {
    weight: 2,
    arbitrary: record({
      is: fc.constantFrom("altered", "same_key", "same_event"),
      of: anyEarlier,
      content: anyContent,
    }),
  },
  {
    weight: 3,
    arbitrary: record({
      is: fc.constant("reversal"),
      of: anyEarlier,
      how: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom("mirrored", "under_another_event") },
        { weight: 1, arbitrary: fc.constantFrom("other_amount", "line_more", "not_swapped", "of_nothing") },
      ),
    }),
  },
);

const anyHold: fc.Arbitrary<HoldSpec> = fc.oneof(
  {
    weight: 6,
    arbitrary: record({
      is: fc.constant("fresh"),
      currency: fc.constantFrom(0, 0, 0, 0, 1, 2),
      lines: fc.uniqueArray(
        record({
          account: fc.nat(boundedCount - 1),
          amount: fc.bigInt(1n, 15n),
          more: fc.option(fc.bigInt(0n, 3n)),
        }),
        { minLength: 1, maxLength: 2, selector: ({ account }) => account },
      ),
      hours: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: record({ is: fc.constantFrom("again", "later", "altered"), of: anyEarlier }) },
);

const orUnknown = fc.oneof({ weight: 15, arbitrary: anyEarlier }, { weight: 1, arbitrary: fc.constant(-1) });

const anySettlement: fc.Arbitrary<SettlementSpec> = record({
  hold: orUnknown,
  costs: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0n, -2n, 3n, 40n) },
    { weight: 2, arbitrary: anyEntry },
  ),
});

const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number) =>
  fc.array(arbitrary, { minLength: 1, maxLength });

const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 48, arbitrary: record({ do: fc.constant("post"), entries: few(anyEntry, 6) }) },
  { weight: 16, arbitrary: record({ do: fc.constant("place"), holds: few(anyHold, 3) }) },
  { weight: 16, arbitrary: record({ do: fc.constant("settle"), settlements: few(anySettlement, 3) }) },
  { weight: 5, arbitrary: record({ do: fc.constant("release"), holds: few(orUnknown, 3) }) },
  { weight: 2, arbitrary: record({ do: fc.constant("expire"), at: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: record({ do: fc.constant("close"), month: fc.nat(months.length - 1) }) },
  { weight: 1, arbitrary: record({ do: fc.constant("jump"), idsLeft: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 11,
    arbitrary: record({ do: fc.constantFrom("carry", "carry", "fold", "fold", "prepare", "seal", "seal") }),
  },
);

/** Long ones: what goes wrong late needs what went before. */
export const anySequence: fc.Arbitrary<Operation[]> = fc.noBias(
  fc.array(anyOperation, { minLength: 1, maxLength: 200, size: "max" }),
);
