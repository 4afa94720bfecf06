import { insertGrant, type StoredGrant } from "../db/billing/credit-grants.ts";
import type { StoredRecurring } from "../db/billing/recurring-grants.ts";
import type { Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type EntryFacts, promotionalCreditsGranted } from "../domain/ledger/index.ts";
import {
  currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmountOfMoney,
  roundToMinor,
} from "../domain/money/index.ts";
import { book } from "./issue-invoice.ts";

/** What is particular of one grant among those of a recurring grant. */
export interface GrantOfTime
  extends Pick<StoredGrant, "id" | "effectiveAt" | "expiresAt" | "rolledOverFrom" | "occurrence"> {
  readonly amount: LedgerAmount;
}

/** Gives a grant of a recurring grant, by the terms that were agreed to, with its entry. The key names it for ever. */
export async function issueGrant(
  tx: Tx,
  recurring: StoredRecurring,
  { amount, ...terms }: GrantOfTime,
  sourceKey: string,
): Promise<void> {
  const { customerId, priority, scope, reason } = recurring;
  const inCurrency = currency(recurring.currency);
  const whole = roundToMinor(exactOfLedgerAmount(amount), inCurrency, "down");
  const { effectiveAt } = terms;
  const grant = {
    ...terms,
    amountMinor: whole.amountMinor,
    amountFraction: amount - ledgerAmountOfMoney(whole),
    customerId,
    kind: "promotional" as const,
    currency: inCurrency,
    priority,
    scope,
    invoiceId: null,
    reason,
    createdAt: effectiveAt,
    recurringGrantId: recurring.id,
  };
  await insertGrant(tx, grant);
  const facts = entryFactsOf(grant, sourceKey, effectiveAt, effectiveAt);
  await book(tx, [promotionalCreditsGranted({ ...facts, grantId: grant.id, amount })]);
}

export function entryFactsOf(
  { customerId, currency: code }: Pick<StoredGrant, "customerId" | "currency">,
  sourceKey: string,
  occurredAt: Instant,
  effectiveAt: Instant,
): EntryFacts {
  return { sourceKey, customerId, currency: currency(code), occurredAt, effectiveAt };
}
