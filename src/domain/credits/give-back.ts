import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import { type Draw, requireNotNegative, take } from "./burn.ts";
import type { CreditGrantKind } from "./credit-grant.ts";
import { type CreditPolicy, usualCreditPolicy } from "./credit-policy.ts";

/** A draw that may be undone, with what is left of it after earlier returns. */
export interface ReturnableDraw extends Draw {
  readonly kind: CreditGrantKind;
  /** Whether its grant has expired, or was voided: nothing can go back to it. */
  readonly isEnded: boolean;
}

/** Where returned credit goes: to its grant, to the customer's balance, or nowhere, because it has ended with its grant. */
export type ReturnPlace = "grant" | "balance" | "lapsed";

/** A draw, or a part of it, that is undone. */
export type Returned<Of extends ReturnableDraw> = Of & { readonly to: ReturnPlace };

export interface GiveBack<Of extends ReturnableDraw> {
  /** The newest draw first. */
  readonly returned: readonly Returned<Of>[];
  /** What was paid with money, or was still to be. */
  readonly money: LedgerAmount;
}

/**
 * Undoes what paid for usage, by `amount`: the draws go back to the grants that they came from, the newest first, and the
 * customer's money to the customer.
 * @param draws in the order they were drawn, less what went back before
 * @param paidInMoney what money paid of the same usage
 * @throws BurnAmountInvalidError for a negative amount
 */
export function giveBack<Of extends ReturnableDraw>(
  draws: readonly Of[],
  paidInMoney: LedgerAmount,
  amount: LedgerAmount,
  policy: CreditPolicy = usualCreditPolicy,
): GiveBack<Of> {
  requireNotNegative(amount);
  const moneyFirst = policy.giveBack === "money_first" ? smaller(paidInMoney, amount) : ledgerAmount(0n);
  const { taken, left } = take(draws.toReversed(), ledgerAmount(amount - moneyFirst));
  return {
    returned: taken.map((draw) => ({ ...draw, to: placeOf(draw, policy) })),
    money: ledgerAmount(moneyFirst + left),
  };
}

function placeOf({ kind, isEnded }: ReturnableDraw, { whenEnded }: CreditPolicy): ReturnPlace {
  if (!isEnded) return "grant";
  return kind === "paid" || whenEnded === "all_to_balance" ? "balance" : "lapsed";
}

const smaller = (one: LedgerAmount, other: LedgerAmount): LedgerAmount => (one < other ? one : other);
