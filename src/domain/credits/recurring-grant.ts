import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import type { GrantScope } from "./grant-scope.ts";
import { occurrenceCount, type Recurrence } from "./recurrence.ts";
import type { Rollover } from "./rollover.ts";

/** Credit that nobody pays for, given again and again: each time is a grant of its own. */
export interface RecurringGrant {
  readonly id: string;
  /** Each time. */
  readonly amount: LedgerAmount;
  /** 0 to 100; the lowest is spent first. */
  readonly priority: number;
  readonly scope?: GrantScope;
  readonly recurrence: Recurrence;
  /** Null: what is left when the next time begins is lost. */
  readonly rollover: Rollover | null;
}

/** All that it can come to until its end, what rollovers add included; null when it has no end. */
export function totalOf({ amount, recurrence, rollover }: RecurringGrant): LedgerAmount | null {
  const count = occurrenceCount(recurrence);
  return count === null ? null : ledgerAmount((amount + (rollover?.min ?? 0n)) * BigInt(count));
}

/** The id of the grant that is given the `number`th time, from 0. */
export const occurrenceGrantId = (recurringGrantId: string, number: number): string =>
  `${recurringGrantId}.${number}`;

/** The id of the grant that holds what went over to that time. */
export const rolloverGrantId = (recurringGrantId: string, number: number): string =>
  `${occurrenceGrantId(recurringGrantId, number)}.rollover`;
