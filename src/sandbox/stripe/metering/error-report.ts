import type { Cause } from "../resources/deliver.ts";
import { emitThin } from "../resources/emit-thin.ts";
import type { Meter } from "../state/metering-objects.ts";
import type { MeterEventFault } from "./count-event.ts";

/** An event that was taken and then did not count. */
export type RejectedMeterEvent = { readonly code: MeterEventFault; readonly identifier: string };

const samplesMax = 5;

/**
 * Tells of events that did not count. Stripe gathers them over some time; here each request is told of by itself. Events
 * without a meter are told of in a report of their own.
 */
export function reportErrors(
  cause: Cause,
  meter: Meter | undefined,
  rejected: readonly RejectedMeterEvent[],
): void {
  const at = new Date(cause.tx.now * 1000).toISOString();
  const codes = [...Map.groupBy(rejected, ({ code }) => code)];
  const data = {
    developer_message_summary: `There is ${rejected.length} invalid event`,
    reason: {
      error_count: rejected.length,
      error_types: codes.map(([code, events]) => ({
        code,
        error_count: events.length,
        sample_errors: events.slice(0, samplesMax).map(({ identifier }) => ({
          error_message: `The event was not counted: ${code}`,
          request: { identifier },
        })),
      })),
    },
    validation_start: at,
    validation_end: at,
  };
  const type = `v1.billing.meter.${meter === undefined ? "no_meter_found" : "error_report_triggered"}`;
  const related = meter && { id: meter.id, type: meter.object, url: `/v1/billing/meters/${meter.id}` };
  emitThin(cause, { type, data, ...(related && { related }) });
}
