import { formatPeriod } from "../format/time.ts";
import type { Invoice, Subscription } from "../reads/resources.ts";

/** A period that can be chosen by name. Half-open, and exact: what was used in it is what its invoice bills. */
export interface ChosenPeriod {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** The periods that are running and those that were invoiced, the latest first. */
export function knownPeriods(
  subscriptions: readonly Pick<Subscription, "current_period">[],
  invoices: readonly Pick<Invoice, "kind" | "period_start" | "period_end">[],
  timeZone: string,
): ChosenPeriod[] {
  const running = subscriptions.flatMap(({ current_period: period }) => (period === null ? [] : [period]));
  const closed = invoices.flatMap(({ kind, period_start: start, period_end: end }) =>
    kind === "cycle" && start !== null && end !== null ? [{ start, end }] : [],
  );
  const known = [...running, ...closed].map((period) => {
    const isRunning = running.some(({ start }) => start === period.start);
    const text = formatPeriod(period, timeZone);
    return { from: period.start, to: period.end, label: isRunning ? `This period: ${text}` : text };
  });
  return [...new Map(known.map((period) => [`${period.from}/${period.to}`, period])).values()].toSorted(
    (one, other) => other.from.localeCompare(one.from),
  );
}
