import type { Instant } from "../calendar/index.ts";
import type { CreditGrantKind, GrantScope } from "../credits/index.ts";
import { type Currency, type LedgerAmount, ledgerAmount, type Money } from "../money/index.ts";

/** Why something is adjusted. `other` says in words what none of these does. */
export const reasonCodes = [
  "goodwill",
  "service_outage",
  "billing_error",
  "promotion",
  "contract",
  "retention",
  "duplicate",
  "fraud",
  "other",
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export const adjustmentKinds = [
  "grant_credit",
  "void_grant",
  "adjust_grant",
  "credit_balance",
  "debit_balance",
] as const;
export type AdjustmentKind = (typeof adjustmentKinds)[number];

/** Credit that nobody pays for. */
export type GivenKind = Exclude<CreditGrantKind, "paid">;

interface GivenCredit {
  readonly kind: "grant_credit";
  readonly grantId: string;
  readonly grantKind: GivenKind;
  /** 0 to 100; the lowest is spent first. */
  readonly priority: number;
  readonly expiresAt: Instant | null;
  /** What it may pay; everything when left out. */
  readonly scope?: GrantScope;
  /** From when on; at once when left out, or when it is agreed to later. */
  readonly startsAt?: Instant;
}

interface VoidedGrant {
  readonly kind: "void_grant";
  readonly grantId: string;
  readonly grantKind: CreditGrantKind;
}

interface ChangedGrant {
  readonly kind: "adjust_grant";
  readonly grantId: string;
  readonly grantKind: CreditGrantKind;
}

interface ChangedBalance {
  readonly kind: "credit_balance" | "debit_balance";
}

interface Change {
  /** What the customer gets; negative: what is taken back. Whole minor units, except of a void. */
  readonly change: LedgerAmount;
}

/** What somebody asks for. How much a void takes is not theirs to say. */
export type AskedCorrection = ((GivenCredit | ChangedGrant | ChangedBalance) & Change) | VoidedGrant;

/** What an adjustment does. A void takes what was left of the grant when it was asked for, and at most that. */
export type Correction = (GivenCredit | VoidedGrant | ChangedGrant | ChangedBalance) & Change;

/** @param remaining what is left now of the grant that it is about */
export function correctionOf(asked: AskedCorrection, remaining: LedgerAmount): Correction {
  return asked.kind === "void_grant" ? { ...asked, change: ledgerAmount(-remaining) } : asked;
}

/** A correction of a customer's credit or balance that somebody asked for. */
export interface Adjustment {
  readonly id: string;
  readonly customerId: string;
  readonly currency: Currency;
  readonly correction: Correction;
  readonly reasonCode: ReasonCode;
  /** In words; never null when the code is `other`. */
  readonly reason: string | null;
}

/** Above which amount somebody else must agree, by currency; in a currency that is not there, always. */
export type ApprovalLimits = ReadonlyMap<Currency, Money>;
