import { currency, currencyExponent, decimal, formatMoney, money } from "../../domain/money/index.ts";
import type { Schemas } from "../../sdk/index.ts";
import { castSize } from "./customers.ts";
import type { DemoRun } from "./demo-run.ts";
import type { CustomerResult, DemoResult, UsageAccounting } from "./result.ts";
import { table } from "./table.ts";

/** Everything that is shown when the demo has ended. */
export function report(result: DemoResult, run: DemoRun, links: DemoLinks): string {
  return [
    customersTable(result.customers),
    usageLine(result.accounting, run),
    trialBalanceTable(result.trialBalance),
    linkLines(links, run),
  ].join("\n\n");
}

export interface DemoLinks {
  readonly apiUrl: string;
  readonly temporalUiUrl: string | undefined;
}

function customersTable(customers: readonly CustomerResult[]): string {
  const shown = customers
    .slice(0, castSize)
    .map((customer) => rowOf(customer.id, customer.plan, [customer], customer.state));
  const others = customers.slice(castSize);
  const rows = [
    ...shown,
    ...(others.length === 0 ? [] : [rowOf(`${count(others.length)} others`, "", others, statesOf(others))]),
    null,
    rowOf("all", "", customers, statesOf(customers)),
  ];
  return table(
    ["customer", "plan", ">tokens in", ">tokens out", ">invoices", ">invoiced", ">paid", "state"],
    rows,
  );
}

function rowOf(name: string, plan: string, customers: readonly CustomerResult[], state: string): string[] {
  const invoices = customers.flatMap((customer) => customer.invoices);
  const sum = (amount: "total_minor" | "amount_paid_minor") =>
    formatMoney(
      money(
        invoices.reduce((total, invoice) => total + BigInt(invoice[amount]), 0n),
        "usd",
      ),
    );
  return [
    name,
    plan,
    count(customers.reduce((total, { inputTokens }) => total + inputTokens, 0n)),
    count(customers.reduce((total, { outputTokens }) => total + outputTokens, 0n)),
    count(invoices.length),
    sum("total_minor"),
    sum("amount_paid_minor"),
    state,
  ];
}

function statesOf(customers: readonly CustomerResult[]): string {
  return [...Map.groupBy(customers, ({ state }) => state)]
    .map(([state, those]) => `${count(those.length)} ${state}`)
    .join(", ");
}

function usageLine(
  { accepted, conflicting, invoiced, notInvoiced, invoices }: UsageAccounting,
  run: DemoRun,
): string {
  const { deliveries, timeline } = run;
  const numberOf = (kind: string) => deliveries.filter((delivery) => delivery.kind === kind).length;
  const late = (key: "inGrace" | "afterClose") =>
    deliveries.filter(
      ({ kind, at }) => kind === "first" && timeline.months.some((month) => month[key] === at),
    ).length;
  const everyOne = notInvoiced === 0 && invoiced === accepted;
  const where = everyOne
    ? `all of them on ${count(invoices)} invoices, each event exactly once`
    : `${count(invoiced)} on ${count(invoices)} invoices, ${count(notInvoiced)} on none`;
  return [
    `  Usage events: ${count(deliveries.length)} sent, ${count(accepted)} accepted (${where}),`,
    `  ${count(numberOf("again"))} duplicates and ${count(conflicting)} conflicts not counted;`,
    `  ${count(late("inGrace"))} came late in the grace, ${count(late("afterClose"))} after the close (billed on the next invoice).`,
  ].join("\n");
}

function trialBalanceTable({ data, totals }: Schemas["TrialBalance"]): string {
  const amounts = (line: { currency: string; debit_minor: string; credit_minor: string }) => [
    majorOf(line.debit_minor, line.currency),
    majorOf(line.credit_minor, line.currency),
  ];
  const rows = totals.flatMap((total) => {
    const lines = data.filter((line) => line.currency === total.currency);
    const verdict = total.balanced ? "debits = credits" : "NOT BALANCED";
    return [
      ...lines.map((line) => [
        line.code,
        line.name,
        ...amounts(line),
        majorOf(line.balance_minor, line.currency),
      ]),
      null,
      ["", total.currency.toUpperCase(), ...amounts(total), verdict],
    ];
  });
  return `  Trial balance of the ledger\n${table(["account", "name", ">debits", ">credits", ">balance"], rows)}`;
}

function linkLines({ apiUrl, temporalUiUrl }: DemoLinks, { cast, name }: DemoRun): string {
  const runs = (query: string) =>
    temporalUiUrl && `${temporalUiUrl}/namespaces/default/workflows?query=${encodeURIComponent(query)}`;
  const rows: (readonly [string, string | undefined])[] = [
    ["Grove Analytics in the console", `${apiUrl}/console/customers/${cast.cardFails}`],
    ["its runs in the Temporal UI", runs(`CustomerId="${cast.cardFails}"`)],
    ["the test clock's run", runs(`WorkflowId="clock/${name}"`)],
    ["API documentation", `${apiUrl}/docs`],
  ];
  return table(
    ["look at", "where"],
    rows.flatMap(([what, where]) => (where === undefined ? [] : [[what, where]])),
  );
}

/** An exact number of minor units, in units of the currency with all the decimals of the ledger. */
function majorOf(minor: string, currencyCode: string): string {
  const exponent = currencyExponent(currency(currencyCode));
  const exact = decimal(minor).times(decimal(exponent === 0 ? "1" : `0.${"1".padStart(exponent, "0")}`));
  const [whole = "0", fraction = ""] = exact.text.split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(exponent + 8, "0")}`;
}

function count(value: number | bigint): string {
  return value.toLocaleString("en");
}
