import type { Stripe } from "stripe";
import { type Instant, instant } from "../domain/calendar/index.ts";

/** What Stripe has taken and then not counted, for one reason. */
export type MeterErrors = {
  readonly code: string;
  /** Null: there is no such meter. */
  readonly stripeMeterId: string | null;
  readonly errors: number;
  /** Of some of the events. */
  readonly identifiers: readonly string[];
  readonly from: Instant;
  readonly until: Instant;
};

/** Fetches a report of errors; whoever is told of it by a thin event is told no more than that there is one. */
export async function readMeterErrors(stripe: Stripe, eventId: string): Promise<MeterErrors[]> {
  const event = await stripe.v2.core.events.retrieve(eventId);
  if (
    event.type !== "v1.billing.meter.error_report_triggered" &&
    event.type !== "v1.billing.meter.no_meter_found"
  )
    return [];
  const { reason, validation_start: from, validation_end: until } = event.data;
  const stripeMeterId =
    event.type === "v1.billing.meter.error_report_triggered" ? event.related_object.id : null;
  return reason.error_types.map(({ code, error_count: errors, sample_errors: samples }) => ({
    code,
    stripeMeterId,
    errors,
    identifiers: samples.map(({ request }) => request.identifier),
    from: instant(from),
    until: instant(until),
  }));
}
