import { instant } from "../../../src/domain/calendar/index.ts";
import { type JournalEntryDraft, postingText } from "../../../src/domain/ledger/index.ts";
import {
  currency,
  decimal,
  type LedgerAmount,
  ledgerAmountOfExact,
  type Money,
  money,
} from "../../../src/domain/money/index.ts";

/** What the tests of entries share: an event of acme's, in dollars. */
export const usd = currency("usd");
export const at = instant("2026-01-31T00:00:00Z");
export const merchantFacts = { sourceKey: "test", currency: usd, occurredAt: at, effectiveAt: at };
export const facts = { ...merchantFacts, customerId: "acme" };

export const cents = (amount: bigint): Money => money(amount, "usd");
export const exact = (minor: string): LedgerAmount => ledgerAmountOfExact(decimal(minor));

/** An entry's postings as the examples write them. */
export const written = (draft: JournalEntryDraft | null) => draft?.postings.map(postingText) ?? null;
