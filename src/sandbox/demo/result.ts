import { everyItem, type ReckonerClient, type Schemas } from "../../sdk/index.ts";
import type { DemoRun } from "./demo-run.ts";
import { inParallel } from "./in-parallel.ts";
import { demoMonth } from "./timeline.ts";

/** One customer as the API shows it when the demo has ended. */
export interface CustomerResult {
  readonly id: string;
  readonly plan: string;
  readonly state: string;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly invoices: readonly Schemas["Invoice"][];
  /** Where its usage events went. */
  readonly accounting: Schemas["UsageAccounting"];
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
  const invoices: Schemas["Invoice"][] = [];
  const pages = everyItem((page) =>
    reckoner.get("/v1/invoices", { params: { query: { ...page, customer: id } } }),
  );
  for await (const invoice of pages) invoices.push(invoice);
  return {
    id,
    plan: subscriptions.flatMap(({ items }) => items.map(({ plan }) => plan)).join(" + "),
    state: subscriptions.map(({ status }) => status).join(" + "),
    inputTokens: await usageOf(reckoner, id, "input_tokens", run),
    outputTokens: await usageOf(reckoner, id, "output_tokens", run),
    invoices,
    accounting: await reckoner.get("/v1/usage/accounting", { params: { query: { customer: id } } }),
  };
}

async function usageOf(
  reckoner: ReckonerClient,
  customer: string,
  meter: string,
  run: DemoRun,
): Promise<bigint> {
  const from = new Date(demoMonth(0).start).toISOString();
  const to = new Date(demoMonth(run.options.months).start).toISOString();
  const query = { customer, meter, from, to, group_by: "" };
  const { data } = await reckoner.get("/v1/usage", { params: { query } });
  return data.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n);
}
