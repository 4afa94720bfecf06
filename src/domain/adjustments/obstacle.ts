import type { Instant } from "../calendar/index.ts";
import { BillingError, unreachable } from "../errors.ts";
import { ledgerAmountText } from "../ledger/index.ts";
import type { Currency, LedgerAmount } from "../money/index.ts";
import type { Adjustment, Correction } from "./adjustment.ts";

/** Where a grant stands at the moment at which it would be corrected. */
export interface GrantStanding {
  /** What the ledger says is left. */
  readonly remaining: LedgerAmount;
  /** The part of it that no running request has reserved. */
  readonly available: LedgerAmount;
  /** Whether the invoice it was bought with is paid; true for what was given. */
  readonly isFunded: boolean;
  readonly isVoided: boolean;
  readonly expiresAt: Instant | null;
}

/** What the money that a correction is about looks like now; null where there is nothing to look at yet. */
export interface CorrectedMoney {
  readonly grant: GrantStanding | null;
  /** What is in the customer's balance and not reserved. */
  readonly balanceAvailable: LedgerAmount;
}

/** Why a correction cannot be made now. It may become possible, so an approval that meets it leaves the request as it is. */
export class AdjustmentImpossibleError extends BillingError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What stands in the way of an adjustment at `asOf`; null when it can be made. */
export function obstacleTo(
  { correction, currency }: Pick<Adjustment, "correction" | "currency">,
  money: CorrectedMoney,
  asOf: Instant,
): AdjustmentImpossibleError | null {
  const { kind, change } = correction;
  switch (kind) {
    case "grant_credit":
      return correction.expiresAt !== null && correction.expiresAt <= asOf
        ? impossible("credit_grant_expired", "the credit would have expired: ask for it anew")
        : null;
    case "credit_balance":
      return null;
    case "debit_balance":
      return money.balanceAvailable + change < 0n
        ? impossible(
            "customer_balance_insufficient",
            `the customer's balance holds ${ledgerAmountText(money.balanceAvailable, currency)}`,
          )
        : null;
    case "void_grant":
    case "adjust_grant":
      return money.grant === null
        ? impossible("credit_grant_not_found", "there is no such credit grant")
        : (obstacleOfState(money.grant, asOf) ?? obstacleOfAmount(correction, money.grant, currency));
    default:
      return unreachable(kind);
  }
}

function obstacleOfState(grant: GrantStanding, asOf: Instant): AdjustmentImpossibleError | null {
  if (grant.isVoided) return impossible("credit_grant_voided", "the grant was voided, and that is final");
  if (!grant.isFunded) {
    const message = "the grant is not paid for, so it holds nothing that could be taken or given back";
    return impossible("credit_grant_unpaid", message);
  }
  if (grant.expiresAt !== null && grant.expiresAt <= asOf) {
    return impossible("credit_grant_expired", "the grant has expired: credit the customer's balance instead");
  }
  return null;
}

function obstacleOfAmount(
  { kind, change }: Correction,
  { remaining, available }: GrantStanding,
  currency: Currency,
): AdjustmentImpossibleError | null {
  if (kind === "adjust_grant") {
    if (available + change >= 0n) return null;
    const message = `at most ${ledgerAmountText(available, currency)} can be taken from the grant`;
    return impossible("credit_grant_insufficient", message);
  }
  if (remaining === 0n)
    return impossible("credit_grant_used_up", "nothing is left of the grant that could be taken back");
  if (available < remaining) {
    const message = "running requests have reserved a part of the grant: try again when they have ended";
    return impossible("credit_grant_reserved", message);
  }
  // Who approves agrees to what was asked for, not to more.
  if (remaining > -change) {
    const message = `the grant holds ${ledgerAmountText(remaining, currency)}, more than when this was asked for: ask anew`;
    return impossible("credit_grant_changed", message);
  }
  return null;
}

const impossible = (code: string, message: string) => new AdjustmentImpossibleError(code, message);
