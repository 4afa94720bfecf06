import { page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, pathId, type Reply } from "../http/route.ts";
import { meterCustomer } from "../metering/count-event.ts";
import { addDecimals } from "../metering/exact-sum.ts";
import { choice, integer, requiredText } from "../schema/access.ts";
import type { Meter, MeterTotal } from "../state/metering-objects.ts";

const windowSeconds = { minute: 60, hour: 3_600, day: 86_400 };

/** What was counted of a customer in a time, as a whole or hour by hour or day by day; windows without usage are left out. */
export function meterSummaries(call: Call): Reply {
  const { tx, params } = call;
  const meter = tx.get("billing.meter", pathId(call, "id"));
  const customer = requiredText(params, "customer");
  const grouping = choice(params, "value_grouping_window", ["day", "hour"]);
  const [start, end] = [integer(params, "start_time") ?? 0, integer(params, "end_time") ?? 0];
  assertAligned(start, end, windowSeconds[grouping ?? "minute"]);
  const within = tx
    .list("meter_total", { field: "meter_customer", value: meterCustomer(meter.id, customer) })
    .filter(({ minute }) => minute >= start && minute < end);
  const size = grouping === undefined ? end - start : windowSeconds[grouping];
  const windows = Map.groupBy(within, ({ minute }) => start + Math.floor((minute - start) / size) * size);
  const rows = [...windows]
    .toSorted(([one], [other]) => other - one)
    .map(([since, totals]) => ({
      id: `mtrusg_${since}_${meter.id}`,
      object: "billing.meter_event_summary",
      aggregated_value: aggregated(meter, totals),
      start_time: since,
      end_time: since + size,
      livemode: false,
      meter: meter.id,
    }));
  return page(params, `/v1/billing/meters/${meter.id}/event_summaries`, rows, (row) => row);
}

function assertAligned(start: number, end: number, size: number): void {
  for (const [param, value] of [["start_time", start] as const, ["end_time", end] as const]) {
    if (value % size !== 0)
      throw badParameter(`Invalid ${param}: it must fall on a window's boundary`, param);
  }
  if (end <= start) throw badParameter("end_time must be after start_time", "end_time");
}

function aggregated(meter: Meter, totals: readonly MeterTotal[]): number {
  switch (meter.default_aggregation.formula) {
    case "count":
      return totals.reduce((count, total) => count + total.count, 0);
    case "sum":
      return Number(totals.reduce((sum, total) => addDecimals(sum, total.sum), "0"));
    case "last":
      return Number(
        totals
          .map(({ last }) => last)
          .toSorted((a, b) => a.at - b.at)
          .at(-1)?.value ?? 0,
      );
  }
}
