import { everyItem, type ReckonerClient, type Schemas } from "../../sdk/index.ts";
import { catalog } from "./catalog.ts";
import type { DemoRun } from "./demo-run.ts";
import { inParallel } from "./in-parallel.ts";
import { demoMonth } from "./timeline.ts";

export interface TokenCount {
  readonly input: bigint;
  readonly output: bigint;
}

/** One customer as the API shows it when the demo has ended. */
export interface CustomerResult {
  readonly id: string;
  readonly plan: string;
  readonly state: string;
  /** Usage events that were accepted, and what the meters made of them. */
  readonly events: number;
  readonly metered: TokenCount;
  /** What the usage lines of all invoices sum to: the same, when every event is billed exactly once. */
  readonly invoiced: TokenCount;
  readonly invoices: readonly Schemas["InvoiceDetail"][];
}

/** What came of the demo, read from the API. */
export interface DemoResult {
  readonly customers: readonly CustomerResult[];
  readonly trialBalance: Schemas["TrialBalance"];
}

const requestsAtOnce = 6;

export async function readResult(reckoner: ReckonerClient, run: DemoRun): Promise<DemoResult> {
  const overviews = await customersOn(reckoner, run.name);
  const results = new Map<string, CustomerResult>();
  await inParallel(run.customers, requestsAtOnce, async ({ id }) => {
    const overview = overviews.get(id);
    if (overview === undefined) throw new Error(`${id} is not among the customers on the clock ${run.name}`);
    results.set(id, await customerResult(reckoner, overview, run));
  });
  return {
    customers: run.customers.flatMap(({ id }) => results.get(id) ?? []),
    trialBalance: await reckoner.get("/v1/ledger/trial-balance"),
  };
}

async function customersOn(
  reckoner: ReckonerClient,
  clock: string,
): Promise<Map<string, Schemas["CustomerOverview"]>> {
  const found = new Map<string, Schemas["CustomerOverview"]>();
  for await (const customer of everyItem((query) => reckoner.get("/v1/customers", { params: { query } }))) {
    if (customer.test_clock === clock) found.set(customer.id, customer);
  }
  return found;
}

async function customerResult(
  reckoner: ReckonerClient,
  { id, subscriptions }: Schemas["CustomerOverview"],
  run: DemoRun,
): Promise<CustomerResult> {
  const invoices = await invoicesOf(reckoner, id);
  const input = await usageOf(reckoner, id, "input_tokens", run);
  const output = await usageOf(reckoner, id, "output_tokens", run);
  return {
    id,
    plan: subscriptions.flatMap(({ items }) => items.map(({ plan }) => plan)).join(" + "),
    state: subscriptions.map(({ status }) => status).join(" + "),
    events: input.events,
    metered: { input: input.quantity, output: output.quantity },
    invoiced: invoicedTokens(invoices),
    invoices,
  };
}

async function invoicesOf(reckoner: ReckonerClient, customer: string): Promise<Schemas["InvoiceDetail"][]> {
  const pages = everyItem((page) =>
    reckoner.get("/v1/invoices", { params: { query: { ...page, customer } } }),
  );
  const invoices: Schemas["InvoiceDetail"][] = [];
  for await (const { id } of pages) {
    invoices.push(await reckoner.get("/v1/invoices/{id}", { params: { path: { id } } }));
  }
  return invoices;
}

async function usageOf(reckoner: ReckonerClient, customer: string, meter: string, run: DemoRun) {
  const from = new Date(demoMonth(0).start).toISOString();
  const to = new Date(demoMonth(run.options.months).start).toISOString();
  const { data } = await reckoner.get("/v1/usage", {
    params: { query: { customer, meter, from, to, group_by: "" } },
  });
  return {
    events: data.reduce((sum, { event_count }) => sum + event_count, 0),
    quantity: data.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n),
  };
}

/** The usage lines of an invoice, late ones among them. */
export function usageLinesOf({ lines }: Schemas["InvoiceDetail"]): Schemas["InvoiceLine"][] {
  return lines.filter(({ kind }) => kind === "usage" || kind === "late_usage");
}

function invoicedTokens(invoices: readonly Schemas["InvoiceDetail"][]): TokenCount {
  const lines = invoices.flatMap(usageLinesOf);
  const sumFor = (meter: string) =>
    lines
      .filter((line) => meterOf(line) === meter)
      .reduce((sum, { quantity }) => sum + BigInt(quantity ?? "0"), 0n);
  return { input: sumFor("input_tokens"), output: sumFor("output_tokens") };
}

/** What the price of a line measures. */
function meterOf({ plan, price }: Schemas["InvoiceLine"]): string | undefined {
  const sold = catalog.plans.find(({ key }) => key === plan)?.prices.find(({ key }) => key === price);
  return sold?.type === "usage" ? sold.meter : undefined;
}
