import { type Instant, instant } from "../../calendar/index.ts";
import {
  currency,
  decimal,
  type LedgerAmount,
  ledgerAmountOfExact,
  type Money,
  money,
} from "../../money/index.ts";
import type { EntryFacts, JournalEntry, JournalEntryDraft, MerchantEntryFacts } from "../journal-entry.ts";
import type { Area } from "./areas.ts";

/** One event of a story, its entry as the code makes it, and the postings as an accountant expects them. */
export interface WorkedExample {
  readonly area: Area;
  /** It only sets the scene: the event has an example of its own elsewhere. */
  readonly isSetting?: true;
  readonly event: string;
  /** What happened, with the sum where there is one. */
  readonly story: string;
  readonly entry: JournalEntryDraft | null;
  /** As `postingText` writes them. */
  readonly postings: readonly string[];
}

/** The facts of what happens to a customer, on a day. */
export function happeningTo(customerId: string, currencyCode = "usd") {
  return (day: string, sourceKey: string): EntryFacts => ({
    ...merchantFacts(day, sourceKey, currencyCode),
    customerId,
  });
}

/** The facts of what concerns no single customer. */
export function merchantFacts(day: string, sourceKey: string, currencyCode = "usd"): MerchantEntryFacts {
  const at: Instant = instant(`${day}T00:00:00Z`);
  return { sourceKey, currency: currency(currencyCode), occurredAt: at, effectiveAt: at };
}

export const cents = (amountMinor: bigint): Money => money(amountMinor, "usd");

/** `exact("734.56")` is 7.3456 USD. */
export const exact = (minor: string): LedgerAmount => ledgerAmountOfExact(decimal(minor));

export const newYorkTax = (amountMinor: bigint) => [{ jurisdiction: "us-ny", amount: cents(amountMinor) }];

/** An invoice's lines, where most kinds of lines are absent. */
export const noLines = {
  accrued: { billed: cents(0n), booked: exact("0") },
  inAdvance: [],
  prorationCredits: [],
  creditPurchases: [],
} as const;

/** An example as the ledger has it when the examples are posted in their order: its id is its place in the history. */
export function recorded(entry: JournalEntryDraft | null, history: readonly WorkedExample[]): JournalEntry {
  const position = history.findIndex((example) => example.entry === entry);
  if (entry === null || position < 0) throw new TypeError("the entry is one of the history's");
  return { ...entry, id: BigInt(position + 1), actor: "example", recordedAt: entry.occurredAt };
}
