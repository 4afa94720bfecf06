import { type Instant, instant } from "../../calendar/index.ts";
import {
  currency,
  decimal,
  type LedgerAmount,
  ledgerAmountOfExact,
  type Money,
  money,
} from "../../money/index.ts";
import type { EntryFacts, JournalEntryDraft } from "../journal-entry.ts";

/** One event of a customer's story, its entry as the code makes it, and the postings as an accountant expects them. */
export interface WorkedExample {
  readonly event: string;
  /** What happened, with the sum where there is one. */
  readonly story: string;
  readonly entry: JournalEntryDraft | null;
  /** As `postingText` writes them. */
  readonly postings: readonly string[];
}

export const usd = currency("usd");

/** Everything in the examples happens to the customer acme, in US dollars. */
export function on(day: string, sourceKey: string): EntryFacts {
  const at: Instant = instant(`${day}T00:00:00Z`);
  return { sourceKey, customerId: "acme", currency: usd, occurredAt: at, effectiveAt: at };
}

export const cents = (amountMinor: bigint): Money => money(amountMinor, "usd");

/** `exact("734.56")` is 7.3456 USD. */
export const exact = (minor: string): LedgerAmount => ledgerAmountOfExact(decimal(minor));
