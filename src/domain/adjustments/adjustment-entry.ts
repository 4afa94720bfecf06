import type { Instant } from "../calendar/index.ts";
import { invariant, unreachable } from "../errors.ts";
import {
  type GoodwillPlace,
  goodwillGranted,
  goodwillWithdrawn,
  grantAdjusted,
  grantVoided,
  type JournalEntryDraft,
  promotionalCreditsGranted,
} from "../ledger/index.ts";
import {
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  ledgerAmount,
  roundToMinor,
} from "../money/index.ts";
import type { Adjustment } from "./adjustment.ts";

const balance: GoodwillPlace = { kind: "customer_balance" };

/**
 * The one entry of an adjustment that is executed at `at`.
 * @param remaining what is left of the grant now: a void takes all of it
 */
export function adjustmentEntry(
  { id: adjustmentId, customerId, currency, correction }: Adjustment,
  remaining: LedgerAmount,
  at: Instant,
): JournalEntryDraft {
  const { kind, change } = correction;
  const facts = { customerId, currency, occurredAt: at, effectiveAt: at };
  const adjusted = { ...facts, sourceKey: `adjustment/${adjustmentId}`, adjustmentId };
  switch (kind) {
    case "grant_credit": {
      const { grantId, grantKind } = correction;
      const amount = wholeMoney(change, currency);
      if (grantKind === "goodwill")
        return goodwillGranted({ ...adjusted, amount, to: { kind: "grant", grantId } });
      return promotionalCreditsGranted({
        ...facts,
        sourceKey: `credit-grant/${grantId}/granted`,
        grantId,
        amount,
      });
    }
    case "void_grant": {
      const { grantId, grantKind } = correction;
      const sourceKey = `credit-grant/${grantId}/voided`;
      const entry = grantVoided({ ...facts, sourceKey, grantId, kind: grantKind, remaining });
      invariant(entry, "a grant that is voided holds something");
      return entry;
    }
    case "adjust_grant":
      return grantAdjusted({ ...adjusted, grantId: correction.grantId, kind: correction.grantKind, change });
    case "credit_balance":
      return goodwillGranted({ ...adjusted, amount: wholeMoney(change, currency), to: balance });
    case "debit_balance":
      return goodwillWithdrawn({ ...adjusted, amount: ledgerAmount(-change), from: balance });
    default:
      return unreachable(kind);
  }
}

/** Exact: what is given is whole minor units. */
const wholeMoney = (amount: LedgerAmount, currency: Currency) =>
  roundToMinor(exactOfLedgerAmount(amount), currency);
