import type { CreditGrant } from "../credits/index.ts";
import { invariant } from "../errors.ts";
import {
  addMoney,
  type LedgerAmount,
  ledgerAmount,
  type Money,
  negateMoney,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import type { ClosedPart, ClosedTogether, PeriodFacts } from "./close-period.ts";
import { toBalance } from "./correction.ts";
import type { AddedUpInvoice } from "./invoice-totals.ts";

/** What an invoice leaves of a customer's money to the next one. */
export interface MoneyLeft {
  readonly customerBalance: Money;
  /** Too small to be charged. */
  readonly carried: Money;
}

/** What the closing of a period leaves to the next one. */
export interface MeansLeft extends MoneyLeft {
  readonly grants: readonly CreditGrant[];
}

/** What is left of credit and balance when periods are closed together. */
export function meansLeft(facts: readonly PeriodFacts[], { parts, totals }: ClosedTogether): MeansLeft {
  const [first] = facts;
  invariant(first, "a period is closed");
  const { grants, currency, carried } = first;
  const lines = parts.flatMap((part) => part.lines);
  const customerBalance = addMoney(first.customerBalance, toBalance(correctionsOf(parts), currency));
  return {
    grants: grantsLeft(grants, { parts, totals }),
    ...moneyLeft({ lines, totals }, { customerBalance, carried }),
  };
}

/** The same of credit alone. */
export function grantsLeft(
  grants: readonly CreditGrant[],
  { parts, totals }: Pick<ClosedTogether, "totals"> & { readonly parts: readonly Correcting[] },
): CreditGrant[] {
  const returned = correctionsOf(parts)
    .flatMap(({ givenBack }) => givenBack.flatMap((given) => given.returned))
    .filter(({ to }) => to === "grant");
  const used = sums(totals.draws);
  const back = sums(returned);
  const of = (amounts: ReadonlyMap<string, bigint>, id: string) => amounts.get(id) ?? 0n;
  return grants.map((grant) => ({
    ...grant,
    remaining: ledgerAmount(grant.remaining - of(used, grant.id) + of(back, grant.id)),
  }));
}

type Correcting = Pick<ClosedPart, "rest" | "corrections">;

const correctionsOf = (parts: readonly Correcting[]) =>
  parts.flatMap(({ rest, corrections }) => (rest === null ? corrections : [rest, ...corrections]));

/** What an invoice leaves of what was there before it: what it carries over is no longer to be carried. */
export function moneyLeft({ lines, totals }: AddedUpInvoice, before: MoneyLeft): MoneyLeft {
  const { currency } = before.carried;
  const carried = lines.filter(({ kind }) => kind === "carried_over" || kind === "carried_forward");
  const amounts = carried.map(({ amount }) => negateMoney(amount));
  return {
    customerBalance: subtractMoney(before.customerBalance, totals.balanceApplied),
    carried: addMoney(before.carried, sumMoney(amounts, currency)),
  };
}

function sums(amounts: readonly { readonly grantId: string; readonly amount: LedgerAmount }[]) {
  const byGrant = new Map<string, bigint>();
  for (const { grantId, amount } of amounts) byGrant.set(grantId, (byGrant.get(grantId) ?? 0n) + amount);
  return byGrant;
}
