import { currency, currencyExponent, decimal, formatMoney, money } from "../../domain/money/index.ts";
import type { Schemas } from "../../sdk/index.ts";
import { castSize } from "./customers.ts";
import type { DemoRun } from "./demo-run.ts";
import type { CustomerResult, DemoResult } from "./result.ts";
import { table } from "./table.ts";

/** Everything that is shown when the demo has ended. */
export function report(result: DemoResult, run: DemoRun, links: DemoLinks): string {
  return [
    customersTable(result.customers),
    usageLines(result.customers, run),
    trialBalanceTable(result.trialBalance),
    linkLines(links, run),
  ].join("\n\n");
}

export interface DemoLinks {
  readonly apiUrl: string;
  readonly temporalUiUrl: string | undefined;
  /** Signs whoever follows the link in to the console; undefined where a key may not be shown. */
  readonly signInKey: string | undefined;
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

function usageLines(customers: readonly CustomerResult[], { deliveries, timeline }: DemoRun): string {
  const sum = (
    part: "accepted" | "conflicting" | "invoiced" | "not_invoiced" | "invoiced_more_than_once" | "invoices",
  ) => count(customers.reduce((total, { accounting }) => total + accounting[part], 0));
  const late = (part: "inGrace" | "afterClose") =>
    count(
      deliveries.filter(
        ({ kind, at }) => kind === "first" && timeline.months.some((month) => month[part] === at),
      ).length,
    );
  const again = count(deliveries.filter(({ kind }) => kind === "again").length);
  const isComplete = customers.every(({ accounting }) => accounting.invoiced === accounting.accepted);
  return [
    `  Usage events: ${count(deliveries.length)} sent; ${sum("accepted")} accepted, ${again} duplicates, ${sum("conflicting")} conflicts.`,
    `  ${late("inGrace")} came late but in the grace, ${late("afterClose")} after the close, for the next invoice.`,
    isComplete
      ? `  All accepted events are on ${sum("invoices")} invoices, each exactly once.`
      : `  NOT EACH EXACTLY ONCE: ${sum("invoiced")} are on one of ${sum("invoices")} invoices, ` +
        `${sum("not_invoiced")} on none, ${sum("invoiced_more_than_once")} on several.`,
  ].join("\n");
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

function linkLines({ apiUrl, temporalUiUrl, signInKey }: DemoLinks, { cast, name }: DemoRun): string {
  const runs = (query: string) =>
    temporalUiUrl && `${temporalUiUrl}/namespaces/default/workflows?query=${encodeURIComponent(query)}`;
  const signIn = signInKey === undefined ? "" : `#key=${signInKey}`;
  const links = [
    ["Grove Analytics", `${apiUrl}/console/customers/${encodeURIComponent(cast.cardFails)}${signIn}`],
    ["its runs", runs(`CustomerId="${cast.cardFails}"`)],
    ["the test clock", runs(`WorkflowId="clock/${name}"`)],
    ["API documentation", `${apiUrl}/docs`],
  ];
  const width = Math.max(...links.map(([what = ""]) => what.length));
  return links
    .flatMap(([what = "", where]) => (where === undefined ? [] : [`  ${what.padEnd(width)}  ${where}`]))
    .join("\n");
}

/** An exact number of minor units, which has the ledger's eight decimals at most, in units of the currency. */
function majorOf(minor: string, currencyCode: string): string {
  const exponent = currencyExponent(currency(currencyCode));
  return decimal(minor).dividedBy(decimal(10n ** BigInt(exponent)), exponent + 8, "half-even").text;
}

function fractionOf(text: string): string {
  return text.split(".")[1] ?? "";
}

function count(value: number | bigint): string {
  return value.toLocaleString("en");
}
