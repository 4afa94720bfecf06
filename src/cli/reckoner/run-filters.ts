import { Option } from "commander";
import { CommandFailed } from "./exit-code.ts";

/** How runs are found: each of these narrows it. */
export interface RunFilters {
  readonly attention?: true;
  readonly stuck?: true;
  readonly customer?: string;
  readonly subscription?: string;
  readonly invoice?: string;
  readonly type?: string;
  readonly ended?: true;
  readonly query?: string;
}

export const filterOptions = (): Option[] => [
  new Option("--attention", "with a parked step, which an operator decides about"),
  new Option("--stuck", "whose code cannot go on: its task fails again and again"),
  new Option("--customer <id>"),
  new Option("--subscription <id>"),
  new Option("--invoice <id>"),
  new Option("--type <workflow>", "such as billingCycle or dunning"),
  new Option("--ended", "also those that have ended"),
  new Option("--query <text>", "in Temporal's own words, such as 'PeriodEnd < \"2026-02-01T00:00:00Z\"'"),
];

/** The filters as a query of Temporal's; undefined when there are none. @throws CommandFailed when a value is no id */
export function queryOf(filters: RunFilters): string | undefined {
  const { attention, stuck, customer, subscription, invoice, type, ended, query } = filters;
  const conditions = [
    ...(attention ? ["NeedsAttention = true"] : []),
    ...(stuck ? ["TemporalReportedProblems IS NOT NULL"] : []),
    ...equal("CustomerId", customer),
    ...equal("SubscriptionId", subscription),
    ...equal("InvoiceId", invoice),
    ...equal("WorkflowType", type),
    ...(query === undefined ? [] : [`(${query})`]),
  ];
  if (conditions.length === 0 && !ended) return undefined;
  return [...conditions, ...(ended ? [] : ["ExecutionStatus = 'Running'"])].join(" AND ");
}

function equal(attribute: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (!/^[A-Za-z0-9_.:/-]+$/.test(value)) throw new CommandFailed(`"${value}" is not an id`);
  return [`${attribute} = '${value}'`];
}
