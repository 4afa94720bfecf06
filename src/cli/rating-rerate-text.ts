import type { ReratedPeriod } from "../db/billing/rerating.ts";
import type { ReratingResult } from "../db/billing/rerating-run.ts";
import { isoOf } from "../domain/calendar/index.ts";
import type { RatingDifference } from "../domain/invoicing/index.ts";

const shownMax = 100;

/** For people: a line for each price that is booked otherwise, what usage comes to, and what was rated. */
export function reratingAsText(result: ReratingResult): string {
  const { differing, totals } = result;
  const damaged = differing.filter(({ unseen }) => unseen === 0n).length;
  const more = differing.length - shownMax;
  return [
    ...differing.slice(0, shownMax).flatMap(periodAsText),
    ...(more > 0 ? [`… and ${more} more periods; --json has them all`] : []),
    ...(differing.length === 0 ? [] : [""]),
    ...totals.map(
      ({ currency, product, exactMinor }) => `${currency} ${product}: ${exactMinor.text} minor units`,
    ),
    `${result.subscriptions} subscriptions: ${result.openPeriods} open and ${result.closedPeriods} closed periods with ${result.lines} lines were rated.`,
    ...(result.closedPeriods === 0 ? [] : [closedAsText(differing.length - damaged, damaged)]),
  ].join("\n");
}

function closedAsText(waiting: number, damaged: number): string {
  const late = waiting === 0 ? "" : ` Late usage of ${waiting} waits for the next invoice.`;
  return damaged === 0
    ? `What is booked of closed periods is what they came to.${late}`
    : `Of ${damaged} closed periods something else is booked.${late}`;
}

function periodAsText({ subscriptionId, period, unseen, differences }: ReratedPeriod): string[] {
  const why = unseen === 0n ? "nothing has come since" : `${unseen} facts wait for the next invoice`;
  return differences.map(
    ({ planKey, priceKey, booked, rated }) =>
      `${subscriptionId}, ${isoOf(period.start)}, ${planKey} ${priceKey}: booked ${booked.exactMinor.text} for ${booked.quantity.text}, ` +
      `comes to ${rated.exactMinor.text} for ${rated.quantity.text}; ${why}`,
  );
}

/** For programs. */
export function reratingAsJson({ differing, totals, ...counts }: ReratingResult): string {
  const document = {
    ...counts,
    totals: totals.map(({ exactMinor, ...of }) => ({ ...of, exactMinor: exactMinor.text })),
    differing: differing.map(({ subscriptionId, period, unseen, differences }) => ({
      subscriptionId,
      periodStart: isoOf(period.start),
      periodEnd: isoOf(period.end),
      unseenFacts: unseen.toString(),
      differences: differences.map(differenceAsJson),
    })),
  };
  return JSON.stringify(document, null, 2);
}

const differenceAsJson = ({ stretchStart, planKey, priceKey, booked, rated }: RatingDifference) => ({
  stretchStart: new Date(stretchStart).toISOString(),
  planKey,
  priceKey,
  booked: { quantity: booked.quantity.text, exactMinor: booked.exactMinor.text },
  rated: { quantity: rated.quantity.text, exactMinor: rated.exactMinor.text },
});
