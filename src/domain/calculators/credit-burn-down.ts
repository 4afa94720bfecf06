import { type Instant, periodContaining } from "../calendar/index.ts";
import {
  type BurnDown,
  type BurnDownFacts,
  burnDown,
  type Draw,
  type GrantOverTime,
  unburn,
} from "../credits/index.ts";
import { BillingError } from "../errors.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";

export interface BurnDownQuestion extends BurnDownFacts {
  /** Of all that was drawn until then, so much is given back. */
  readonly refund: LedgerAmount;
}

export interface BurnDownAnswer extends BurnDown {
  /** What can be spent at the end. */
  readonly balance: LedgerAmount;
  /** What went back to each grant, the newest draw first. */
  readonly restored: readonly Draw[];
  /** What was never drawn, so cannot go back. */
  readonly excess: LedgerAmount;
}

export class OccurrencesTooManyError extends BillingError {
  readonly code = "calculation_too_large";
}

/** The most occurrences that all grants together may have. */
export const occurrencesMax = 400;

/**
 * How grants are spent over time, and where a refund would go.
 * @throws OccurrencesTooManyError, BurnAmountInvalidError, RolloverInvalidError
 */
export function calculateCreditBurnDown(question: BurnDownQuestion): BurnDownAnswer {
  requireFewOccurrences(question.grants, question.at);
  const burned = burnDown(question);
  const { restored, excess } = unburn(burned.draws, question.refund);
  const balance = burned.grants.reduce((sum, { remaining }) => sum + remaining, 0n);
  return { ...burned, balance: ledgerAmount(balance), restored, excess };
}

/** Counted before any is made. */
function requireFewOccurrences(grants: readonly GrantOverTime[], at: Instant): void {
  let occurrences = 0;
  for (const [index, { recurrence, effectiveAt, expiresAt }] of grants.entries()) {
    const until = expiresAt !== null && expiresAt < at ? expiresAt : at;
    if (recurrence === undefined || until < effectiveAt) continue;
    const { anchor } = recurrence;
    const first = periodContaining(anchor, effectiveAt).index;
    occurrences += periodContaining(anchor, until).index - first + 1;
    if (occurrences <= occurrencesMax) continue;
    const message = `grants come more than ${occurrencesMax} times until then: ask for fewer, or for less time`;
    throw new OccurrencesTooManyError(message, `grants[${index}].recurrence`);
  }
}
