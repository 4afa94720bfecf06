import type { Instant, Period } from "../calendar/index.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import { BurnAmountInvalidError, type Draw, requireNotNegative, requireOneCurrency, take } from "./burn.ts";
import { inBurnOrder } from "./burn-order.ts";
import type { CreditGrant } from "./credit-grant.ts";
import { type CreditPolicy, usualCreditPolicy } from "./credit-policy.ts";
import { isInScope, type UsedItem } from "./grant-scope.ts";

/** Usage that credit may pay: a line of an invoice, or the part of one that was used in some time. */
export interface UsageCharge extends UsedItem {
  /** Of the line it is of. Several charges may be of one line. */
  readonly line: number;
  readonly amount: LedgerAmount;
  /** When it was used. */
  readonly used: Period;
  /** The billing period that it belongs to. */
  readonly billed: Period;
}

/** An amount taken from a grant for a line. */
export interface LineDraw extends Draw {
  readonly line: number;
}

export interface ChargesBurn {
  /** In the order they were drawn: line by line, each from the grants in their order. */
  readonly draws: readonly LineDraw[];
  readonly uncovered: LedgerAmount;
}

/**
 * Pays charges with grants: charge by charge, each from those grants that may pay it, in the policy's order. Walking the
 * grants instead, each paying what charges it may, would draw the same.
 * @param asOf when it is paid: what takes effect later pays nothing
 * @throws BurnAmountInvalidError for a negative amount, grants of several currencies, or two of one id
 */
export function burnCharges(
  grants: readonly CreditGrant[],
  charges: readonly UsageCharge[],
  asOf: Instant,
  policy: CreditPolicy = usualCreditPolicy,
): ChargesBurn {
  requireOneCurrency(grants);
  requireDistinct(grants);
  const ordered = inBurnOrder(grants, policy.burnOrder);
  const left = new Map(grants.map(({ id, remaining }) => [id, remaining]));
  const draws: LineDraw[] = [];
  let uncovered = ledgerAmount(0n);
  for (const charge of charges) {
    requireNotNegative(charge.amount);
    const sources = ordered
      .filter((grant) => mayPay(grant, charge, asOf, policy))
      .map(({ id }) => ({ grantId: id, line: charge.line, amount: left.get(id) ?? ledgerAmount(0n) }));
    const burned = take(sources, charge.amount);
    for (const draw of burned.taken) {
      left.set(draw.grantId, ledgerAmount((left.get(draw.grantId) ?? 0n) - draw.amount));
    }
    draws.push(...burned.taken);
    uncovered = ledgerAmount(uncovered + burned.left);
  }
  return { draws: addedUp(draws), uncovered };
}

/** Whether a grant may pay a charge: it is for that, and it was in force when the charge was used. */
export function mayPay(
  { scope, effectiveAt, expiresAt, heldBy }: CreditGrant,
  charge: UsageCharge,
  asOf: Instant,
  { earlierUsage }: CreditPolicy,
): boolean {
  // What a user or team holds is drawn for its requests only, which say so themselves.
  if (heldBy !== undefined || effectiveAt > asOf || !isInScope(scope, charge)) return false;
  if (expiresAt !== null && expiresAt <= charge.used.start) return false;
  if (earlierUsage === "unbilled") return true;
  if (earlierUsage === "none") return effectiveAt <= charge.used.start;
  return effectiveAt < charge.billed.end;
}

/** Several draws of one line from one grant are one, in the place of the first. */
function addedUp(draws: readonly LineDraw[]): LineDraw[] {
  const sums = new Map<string, LineDraw>();
  for (const draw of draws) {
    const key = `${draw.line}/${draw.grantId}`;
    const amount = ledgerAmount((sums.get(key)?.amount ?? 0n) + draw.amount);
    sums.set(key, { ...draw, amount });
  }
  return [...sums.values()];
}

function requireDistinct(grants: readonly CreditGrant[]): void {
  const ids = new Set(grants.map(({ id }) => id));
  if (ids.size < grants.length) throw new BurnAmountInvalidError("each grant is given once: two have one id");
}
