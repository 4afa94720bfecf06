import { type Currency, type LedgerAmount, ledgerAmount, majorText } from "../../money/index.ts";
import { type AccountCode, chartAccount } from "../chart-of-accounts.ts";
import type { WorkedExample } from "../examples/index.ts";

/** Where the accounts of each currency stand when every example has been posted. */
export function trialBalanceSection(examples: readonly WorkedExample[]): string {
  const currencies = new Set(examples.flatMap(({ entry }) => (entry === null ? [] : [entry.currency])));
  return [
    "## Where the examples end",
    "",
    "The trial balance of every currency when all the examples have been posted: clearing, transit, disputes, refunds, bridge and suspense are back at zero.",
    ...[...currencies].flatMap((currency) => trialBalanceLines(examples, currency)),
  ].join("\n");
}

function trialBalanceLines(examples: readonly WorkedExample[], currency: Currency): string[] {
  const balances = [...netDebits(examples, currency)].sort(([left], [right]) => (left < right ? -1 : 1));
  const total = balances.reduce((sum, [, net]) => (net > 0n ? sum + net : sum), 0n);
  const text = (amount: bigint) => majorText(ledgerAmount(amount), currency);
  return [
    "",
    `| ${currency.toUpperCase()} | Debit | Credit |`,
    "| --- | ---: | ---: |",
    ...balances.map(([code, net]) => {
      const [debit, credit] = net < 0n ? ["", text(-net)] : [text(net), ""];
      return `| ${code} ${chartAccount(code).name} | ${debit} | ${credit} |`;
    }),
    `| **Total** | **${text(total)}** | **${text(total)}** |`,
  ];
}

/** Debits less credits of each code that has postings. */
export function netDebits(
  examples: readonly WorkedExample[],
  currency: Currency,
): ReadonlyMap<AccountCode, LedgerAmount> {
  const net = new Map<AccountCode, LedgerAmount>();
  const add = (code: AccountCode, amount: bigint) =>
    net.set(code, ledgerAmount((net.get(code) ?? 0n) + amount));
  for (const { entry } of examples) {
    if (entry === null || entry.currency !== currency) continue;
    for (const { debit, credit, amount } of entry.postings) {
      add(debit.code, amount);
      add(credit.code, -amount);
    }
  }
  return net;
}
