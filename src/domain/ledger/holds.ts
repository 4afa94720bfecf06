import type { Instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import type { Currency, LedgerAmount } from "../money/index.ts";
import { type AccountRef, accountKey } from "./account-ref.ts";
import { chartAccount } from "./chart-of-accounts.ts";
import type { JournalEntryDraft } from "./journal-entry.ts";

/** An amount that is set aside in one account. */
export interface HoldLine {
  /** An account with a floor: only what can run out can be set aside. */
  readonly account: AccountRef;
  /** More than zero. */
  readonly amount: LedgerAmount;
  /** The most that may be settled from it, if the account has that much by then; left out: any amount it has. */
  readonly atMost?: LedgerAmount;
}

/**
 * What something may cost, set aside before it happens. No money moves: until the hold is settled, released or has
 * expired, its accounts have that much less to give. Placing it twice is placing it once, by its source key.
 */
export interface HoldDraft {
  /** The business fact behind the hold, such as `request/req_1/reserved`; unique for ever. */
  readonly sourceKey: string;
  readonly customerId?: string;
  readonly currency: Currency;
  readonly cause: { readonly type: string; readonly id: string };
  readonly placedAt: Instant;
  readonly expiresAt: Instant;
  readonly lines: readonly HoldLine[];
}

/** A hold, and the entry that says what it did cost: less than was held, nothing of it, or more up to its limits. */
export interface HoldSettlement {
  readonly holdKey: string;
  readonly entry: JournalEntryDraft;
}

export class HoldInvalidError extends BillingError {
  readonly code = "hold_invalid";
}

/** @throws HoldInvalidError unless it has lines, each of another account with a floor, of its currency and positive */
export function requireSoundHold({ sourceKey, currency, placedAt, expiresAt, lines }: HoldDraft): void {
  const refuse = (why: string): never => {
    throw new HoldInvalidError(`hold ${sourceKey || "without a source key"}: ${why}`);
  };
  if (sourceKey === "") refuse("needs a source key");
  if (lines.length === 0) refuse("needs a line");
  if (expiresAt <= placedAt) refuse("must expire after it was placed");
  if (new Set(lines.map(({ account }) => accountKey(account))).size < lines.length)
    refuse("has two lines of one account: add them up");
  for (const { account, amount, atMost } of lines) {
    if (amount <= 0n) refuse(`${amount} cannot be set aside: it must be more than zero`);
    if (atMost !== undefined && atMost < amount) refuse("may be settled with at least what is held");
    if (account.currency !== currency) refuse(`${accountKey(account)} is not an account in ${currency}`);
    if (!chartAccount(account.code).bounded)
      refuse(`${accountKey(account)} has no floor, so nothing of it need be set aside`);
  }
}
