import { isReconciled, type StripeReconciliation } from "../db/invariants/stripe-reconciliation.ts";
import { currency, ledgerSum, majorText } from "../domain/money/index.ts";

const inMajor = (amount: bigint, code: string): string =>
  `${majorText(ledgerSum(amount), currency(code))} ${code.toUpperCase()}`;

/** The reconciliation for people: what is held, what differs, and what is on its way. */
export function reconciliationAsText(reconciled: StripeReconciliation): string {
  const { held, differences, underWay } = reconciled;
  return [
    "Held by Stripe, and in account 1000:",
    ...held.map(({ currency: code, atStripe, inLedger }) => {
      const rest = atStripe - inLedger;
      const verdict = rest === 0n ? "the same" : `differs by ${inMajor(rest, code)}`;
      return `  ${inMajor(atStripe, code)}, ${inMajor(inLedger, code)}: ${verdict}`;
    }),
    ...listed("Balance transactions that differ:", differences, (each) => {
      const { balanceTransaction, problem, currency: code, atStripe, inLedger } = each;
      const shown = (side: readonly [bigint, bigint] | null) =>
        side === null ? "nothing" : `net ${inMajor(side[0], code)}, fee ${inMajor(side[1], code)}`;
      return `${balanceTransaction} ${problem}: ${shown(atStripe)} at Stripe, ${shown(inLedger)} here`;
    }),
    ...listed("On its way:", underWay, ({ account, of, currency: code, amount, since }) => {
      return `${account} ${of} ${inMajor(amount, code)} since ${since}`;
    }),
    "",
    isReconciled(reconciled) ? "The books agree with Stripe." : "The books differ from Stripe.",
  ].join("\n");
}

function listed<Item>(title: string, items: readonly Item[], line: (item: Item) => string): string[] {
  return items.length === 0 ? [] : ["", title, ...items.map((item) => `  ${line(item)}`)];
}

/** The same for programs: amounts in 10⁻⁸ of the minor unit, as texts. */
export function reconciliationAsJson(reconciled: StripeReconciliation): string {
  const { held, differences, underWay } = reconciled;
  const content = { reconciled: isReconciled(reconciled), held, differences, under_way: underWay };
  return JSON.stringify(content, (_name, value) => (typeof value === "bigint" ? value.toString() : value), 2);
}
