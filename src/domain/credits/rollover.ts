import { addDuration, type Instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";

/** What becomes of credit that is left when its time is over and the next begins. */
export interface Rollover {
  /** At least this goes over, also when less is left. */
  readonly min: LedgerAmount;
  /** At most this goes over. */
  readonly max: LedgerAmount;
  /** At most this of all that went over and is not used yet, together; null: no limit. */
  readonly cap: LedgerAmount | null;
  /** For how many months it can be spent; null: for ever. */
  readonly lifetimeMonths: number | null;
}

export class RolloverInvalidError extends BillingError {
  readonly code = "credit_rollover_invalid";
}

/** @throws RolloverInvalidError unless 0 ≤ min ≤ max, the cap is not negative and the lifetime a whole number of months */
export function requireSoundRollover({ min, max, cap, lifetimeMonths }: Rollover): void {
  const refuse = (message: string): never => {
    throw new RolloverInvalidError(message, "rollover");
  };
  if (min < 0n || max < min) refuse("what goes over is at least zero, and its minimum at most its maximum");
  if (cap !== null && cap < 0n) refuse("what goes over cannot be capped below zero");
  if (lifetimeMonths !== null && (!Number.isSafeInteger(lifetimeMonths) || lifetimeMonths < 1))
    refuse("what goes over lasts for a whole number of months, at least one, or for ever");
}

/** What goes over of what remains: min(max, max(remaining, min)). */
export function carriedOver(
  remaining: LedgerAmount,
  { min, max }: Pick<Rollover, "min" | "max">,
): LedgerAmount {
  const atLeast = remaining > min ? remaining : min;
  return atLeast < max ? atLeast : max;
}

/** Until when that can be spent which goes over at `at`; null: for ever. A month later is the same day, or the month's last. */
export function rolloverExpiry(at: Instant, { lifetimeMonths }: Rollover, timeZone: string): Instant | null {
  return lifetimeMonths === null ? null : addDuration(at, { months: lifetimeMonths }, timeZone);
}

/**
 * What each of these may keep so that all together are within the cap: the oldest give first.
 * @param oldestFirst what went over and is left
 */
export function keptWithin(oldestFirst: readonly LedgerAmount[], cap: LedgerAmount | null): LedgerAmount[] {
  if (cap === null) return [...oldestFirst];
  const sum = oldestFirst.reduce((total, amount) => total + amount, 0n);
  let excess = sum > cap ? sum - cap : 0n;
  return oldestFirst.map((amount) => {
    const given = amount < excess ? amount : excess;
    excess -= given;
    return ledgerAmount(amount - given);
  });
}
