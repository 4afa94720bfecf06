import type { Period } from "../calendar/index.ts";
import type { CreditGrant, LineDraw } from "../credits/index.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** What receipts of a period say that a grant paid of one price, and no invoice has drawn. */
export interface ReservedCredit {
  /** The billing period in which it was used. */
  readonly period: Period;
  readonly planKey: string;
  readonly planVersion: number;
  readonly priceKey: string;
  readonly grantId: string;
  readonly amount: LedgerAmount;
  /** How much of it was set aside until now: what a void invoice had drawn is with its grant, and may be spent there. */
  readonly released: LedgerAmount;
}

/** What reserved credit pays of lines, by their places; and what is left of each to be paid. */
export interface ReservedDraws {
  readonly draws: readonly LineDraw[];
  readonly payable: readonly bigint[];
}

/**
 * Draws what receipts say, line by line: never more than there is to pay, so that what a discount takes off goes back to the grant; nor
 * more than the grant has.
 * @param payable what there is to pay of each line, after what is taken off
 */
export function drawReserved(
  lines: readonly InvoiceLine[],
  payable: readonly bigint[],
  reserved: readonly ReservedCredit[],
  grants: readonly CreditGrant[],
): ReservedDraws {
  const left = [...payable];
  const has = new Map(grants.map(({ id, remaining }): [string, bigint] => [id, remaining]));
  const draws: LineDraw[] = [];
  for (const credit of reserved) {
    const there = has.get(credit.grantId) ?? 0n;
    let due: bigint = credit.amount < there ? credit.amount : there;
    has.set(credit.grantId, there - due);
    for (const [line, of] of lines.entries()) {
      const toPay = left[line] ?? 0n;
      if (due === 0n || toPay <= 0n || !isPaidBy(credit, of)) continue;
      const amount = toPay < due ? toPay : due;
      draws.push({ line, grantId: credit.grantId, amount: ledgerAmount(amount) });
      left[line] = toPay - amount;
      due -= amount;
    }
  }
  return { draws, payable: left };
}

const isPaidBy = (
  { period, planKey, planVersion, priceKey }: ReservedCredit,
  { source, period: of }: InvoiceLine,
): boolean =>
  source !== null &&
  source.planKey === planKey &&
  source.planVersion === planVersion &&
  source.priceKey === priceKey &&
  period.start <= of.start &&
  of.end <= period.end;

/** What anything else may draw on. */
export function grantsLessReserved(
  grants: readonly CreditGrant[],
  reserved: readonly ReservedCredit[],
): readonly CreditGrant[] {
  if (reserved.length === 0) return grants;
  return grants.map((grant) => {
    const left = grant.remaining - ofGrant(grant, reserved, ({ amount }) => amount);
    return { ...grant, remaining: ledgerAmount(left > 0n ? left : 0n) };
  });
}

/** With what is drawn for receipts, where that is set aside in the ledger and so not among what grants have. */
export const grantsWithReserved = (
  grants: readonly CreditGrant[],
  reserved: readonly ReservedCredit[],
): CreditGrant[] =>
  grants.map((grant) => {
    const released = ofGrant(grant, reserved, (credit) => credit.released);
    return { ...grant, remaining: ledgerAmount(grant.remaining + released) };
  });

const ofGrant = (
  { id }: CreditGrant,
  reserved: readonly ReservedCredit[],
  amountOf: (credit: ReservedCredit) => bigint,
): bigint => reserved.reduce((sum, credit) => (credit.grantId === id ? sum + amountOf(credit) : sum), 0n);
