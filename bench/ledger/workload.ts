import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  type JournalEntryDraft,
  journalEntry,
  posting,
  receivable,
  unbilledReceivable,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../src/domain/money/index.ts";

/**
 * What is posted. Each entry has one posting that debits the receivable of a random customer, an account that keeps
 * its history. `uniform` credits the unbilled receivable of another random customer, `hot` one revenue account that
 * all entries share: the two differ in that account alone.
 */
export type Workload = "uniform" | "hot";

const usd = currency("usd");
const tokens = usageRevenue("tokens", usd);
const monthStart = instant("2026-01-01T00:00:00Z");
const monthMs = 31 * 24 * 3_600_000;
const seed = 20260115;

export const kind = "benchmark";

/** A stream of entries, the same in every run of the command; no two have a key in common. */
export function entryStream(customers: number) {
  const random = randomNumbers(seed);
  let number = 0;
  const anyOf = (count: number) => Math.floor(random() * count);
  const entry = (customerId: string, credit: AccountRef): JournalEntryDraft => {
    // As keys of windows of usage are: those of a customer lie together, those of a moment do not.
    const id = `${customerId}/2026-01/${number++}`;
    const at = instantOfEpochMs(monthStart + anyOf(monthMs));
    return journalEntry(
      { sourceKey: `window/${id}/rated`, customerId, currency: usd, occurredAt: at, effectiveAt: at },
      {
        kind,
        cause: { type: "usage_window", id },
        postings: [posting(receivable(customerId, usd), credit, ledgerAmount(BigInt(1 + anyOf(1e9))))],
      },
    );
  };
  return {
    next(workload: Workload): JournalEntryDraft {
      const credit = workload === "hot" ? tokens : unbilledReceivable(customerOf(anyOf(customers)), usd);
      return entry(customerOf(anyOf(customers)), credit);
    },
    /** The first entry of a customer, which opens its accounts. */
    opening(customer: number): JournalEntryDraft {
      const customerId = customerOf(customer);
      return entry(customerId, unbilledReceivable(customerId, usd));
    },
  };
}

export type EntryStream = ReturnType<typeof entryStream>;

const customerOf = (index: number) => `cus_${String(index).padStart(10, "0")}`;

/** Mulberry32: numbers in [0, 1). */
export function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
