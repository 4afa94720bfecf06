import { currency, currencyExponent, decimal, formatMoney, money } from "../../domain/money/index.ts";
import type { Schemas } from "../../sdk/index.ts";
import { castSize } from "./customers.ts";
import type { DemoRun } from "./demo-run.ts";
import { type CustomerResult, type DemoResult, type TokenCount, usageLinesOf } from "./result.ts";
import { table } from "./table.ts";

/** Everything that is shown when the demo has ended. */
export function report(result: DemoResult, run: DemoRun, links: DemoLinks): string {
  return [
    customersTable(result.customers),
    usageLine(result.customers, run),
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
    count(customers.reduce((total, { metered }) => total + metered.input, 0n)),
    count(customers.reduce((total, { metered }) => total + metered.output, 0n)),
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

function usageLine(customers: readonly CustomerResult[], { deliveries, timeline }: DemoRun): string {
  const numberOf = (kind: string) => deliveries.filter((delivery) => delivery.kind === kind).length;
  const late = (key: "inGrace" | "afterClose") =>
    deliveries.filter(
      ({ kind, at }) => kind === "first" && timeline.months.some((month) => month[key] === at),
    ).length;
  const accepted = customers.reduce((sum, { events }) => sum + events, 0);
  const invoices = customers
    .flatMap((customer) => customer.invoices)
    .filter((each) => usageLinesOf(each).length > 0);
  const metered = tokens(customers.map((customer) => customer.metered));
  const invoiced = tokens(customers.map((customer) => customer.invoiced));
  const isComplete = customers.every((each) => sameTokens(each.metered, each.invoiced));
  const verdict = isComplete ? "every event exactly once" : `NOT THE SAME: ${invoiced} are invoiced`;
  return [
    `  Usage events: ${count(deliveries.length)} sent; ${count(accepted)} accepted,` +
      ` ${count(numberOf("again"))} duplicates, ${count(numberOf("contradiction"))} conflicts.`,
    `  ${count(late("inGrace"))} came late but in the grace, ${count(late("afterClose"))} after the close, for the next invoice.`,
    `  They are on ${count(invoices.length)} invoices, with ${metered}: ${verdict}.`,
  ].join("\n");
}

function tokens(counts: readonly TokenCount[]): string {
  const input = counts.reduce((sum, each) => sum + each.input, 0n);
  const output = counts.reduce((sum, each) => sum + each.output, 0n);
  return `${count(input)} tokens in and ${count(output)} out`;
}

function sameTokens(left: TokenCount, right: TokenCount): boolean {
  return left.input === right.input && left.output === right.output;
}

function trialBalanceTable({ data, totals }: Schemas["TrialBalance"]): string {
  const places = Math.max(
    2,
    ...data.map((line) => fractionOf(majorOf(line.balance_minor, line.currency)).length),
  );
  const shown = (minor: string, currencyCode: string) => {
    const major = majorOf(minor, currencyCode);
    const [whole = "0"] = major.split(".");
    return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fractionOf(major).padEnd(places, "0")}`;
  };
  const rows = totals.flatMap((total) => {
    const { currency: of } = total;
    const verdict = total.balanced ? "debits = credits" : "NOT BALANCED";
    return [
      ...data
        .filter((line) => line.currency === of)
        .map((line) => [
          line.code,
          line.name,
          shown(line.debit_minor, of),
          shown(line.credit_minor, of),
          shown(line.balance_minor, of),
        ]),
      null,
      ["", of.toUpperCase(), shown(total.debit_minor, of), shown(total.credit_minor, of), verdict],
    ];
  });
  return `  Trial balance of the ledger\n\n${table(["account", "name", ">debits", ">credits", ">balance"], rows)}`;
}

function linkLines({ apiUrl, temporalUiUrl }: DemoLinks, { cast, name }: DemoRun): string {
  const runs = (query: string) =>
    temporalUiUrl && `${temporalUiUrl}/namespaces/default/workflows?query=${encodeURIComponent(query)}`;
  const links = [
    ["Grove Analytics", `${apiUrl}/console/customers/${encodeURIComponent(cast.cardFails)}`],
    ["its runs", runs(`CustomerId="${cast.cardFails}"`)],
    ["the test clock", runs(`WorkflowId="clock/${name}"`)],
    ["API documentation", `${apiUrl}/docs`],
  ];
  const width = Math.max(...links.map(([what = ""]) => what.length));
  return links
    .flatMap(([what = "", where]) => (where === undefined ? [] : [`  ${what.padEnd(width)}  ${where}`]))
    .join("\n");
}

/** An exact number of minor units, in units of the currency. */
function majorOf(minor: string, currencyCode: string): string {
  const exponent = currencyExponent(currency(currencyCode));
  return decimal(minor).times(decimal(`${"0.".repeat(exponent === 0 ? 0 : 1)}${"1".padStart(exponent, "0")}`))
    .text;
}

function fractionOf(text: string): string {
  return text.split(".")[1] ?? "";
}

function count(value: number | bigint): string {
  return value.toLocaleString("en");
}
