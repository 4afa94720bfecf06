import type { CreditGrant } from "../credits/index.ts";
import {
  addMoney,
  type LedgerAmount,
  ledgerAmount,
  type Money,
  money,
  negateMoney,
  subtractMoney,
} from "../money/index.ts";
import type { ClosedPeriod, PeriodFacts } from "./close-period.ts";
import { toBalance } from "./correction.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** What the closing of a period leaves to the next one. */
export interface MeansLeft {
  readonly grants: readonly CreditGrant[];
  readonly customerBalance: Money;
  /** Too small to be charged. */
  readonly carried: Money;
  /** Lines that charge the next period in advance, with what is taken off them. */
  readonly chargedInAdvance: readonly InvoiceLine[];
}

/** What is left of credit and balance when a period is closed, and what was charged for the next. */
export function meansLeft(facts: PeriodFacts, { lines, totals, rest, corrections }: ClosedPeriod): MeansLeft {
  const { grants, customerBalance, currency, next, waiting } = facts;
  const all = [...(rest === null ? [] : [rest]), ...corrections];
  const returned = all
    .flatMap(({ givenBack }) => givenBack.flatMap((given) => given.returned))
    .filter(({ to }) => to === "grant");
  const used = sums(totals.draws);
  const back = sums(returned);
  const of = (amounts: ReadonlyMap<string, bigint>, id: string) => amounts.get(id) ?? 0n;
  const carried = lines.find(({ kind }) => kind === "carried_forward");
  return {
    grants: grants.map((grant) => ({
      ...grant,
      remaining: ledgerAmount(grant.remaining - of(used, grant.id) + of(back, grant.id)),
    })),
    customerBalance: subtractMoney(
      addMoney(customerBalance, toBalance(all, currency)),
      totals.balanceApplied,
    ),
    carried: carried === undefined ? money(0n, currency) : negateMoney(carried.amount),
    chargedInAdvance: lines.filter(
      (line) => line.earning === "deferred" && line.period.start === next?.start && !waiting.includes(line),
    ),
  };
}

function sums(amounts: readonly { readonly grantId: string; readonly amount: LedgerAmount }[]) {
  const byGrant = new Map<string, bigint>();
  for (const { grantId, amount } of amounts) byGrant.set(grantId, (byGrant.get(grantId) ?? 0n) + amount);
  return byGrant;
}
