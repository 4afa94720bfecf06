import type { Instant } from "../../domain/calendar/index.ts";
import {
  metersOf,
  stretchesOf,
  type UsageCompleteness,
  usageCompleteness,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { type SourcesFound, usageWatermarks, watermarksOf } from "../usage/watermarks.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** How complete the usage of a period is, over all meters that were priced in it. @param sources read before */
export async function completenessOf(
  tx: Tx,
  { customerId }: Pick<StoredSubscription, "customerId">,
  {
    period,
    terms,
    meters,
    isOnTestClock,
  }: Pick<AgreedPeriod, "period" | "terms" | "meters" | "isOnTestClock">,
  at: Instant,
  sources?: SourcesFound,
): Promise<UsageCompleteness> {
  const priced = metersOf(stretchesOf(terms, period).flatMap((stretch) => stretch.terms.items));
  const measured = meters.filter(({ key }) => priced.includes(key));
  if (measured.length === 0) return usageCompleteness(period, []);
  const eventTypes = [...new Set(measured.map(({ eventType }) => eventType))];
  const asked = { customerId, eventTypes, now: at, isOnTestClock };
  const watermarks = sources === undefined ? await usageWatermarks(tx, asked) : watermarksOf(sources, asked);
  return usageCompleteness(
    period,
    measured.flatMap(({ key, eventType }) => {
      const watermark = watermarks.get(eventType);
      return watermark === undefined ? [] : [{ meterKey: key, watermark }];
    }),
  );
}
