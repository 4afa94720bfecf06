import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";

/** An event as Stripe lists it: what a webhook would have said. */
export type ListedEvent = {
  readonly id: string;
  readonly type: string;
  readonly apiVersion: string | null;
  readonly createdAt: Instant;
  readonly body: string;
};

export type EventPage = { readonly events: readonly ListedEvent[]; readonly hasMore: boolean };

export type EventQuery = {
  /** Nothing made before this; everything that Stripe still has, which is 30 days, when null. */
  readonly since: Instant | null;
  /** The page behind this event; the first when null. */
  readonly after: string | null;
};

/** What something follows from here. Stripe lists at most twenty types at once. */
export const eventTypes: readonly string[] = [
  "invoice.paid",
  "invoice.voided",
  "invoice.marked_uncollectible",
  "credit_note.created",
  "payment_intent.succeeded",
  "setup_intent.succeeded",
  "customer.updated",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.closed",
  "charge.dispute.funds_withdrawn",
  "charge.dispute.funds_reinstated",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "payout.created",
  "payout.paid",
  "payout.failed",
  "payout.canceled",
];

/** Of thin events alone: what Stripe's meters took and did not count. They are in no list, and Stripe tells again for days. */
const thinTypes: readonly string[] = [
  "v1.billing.meter.error_report_triggered",
  "v1.billing.meter.no_meter_found",
];

/** The type of the snapshot that says the same as a thin event; a snapshot's is its own. */
export const snapshotType = (type: string): string =>
  thinTypes.includes(type) ? type : type.replace(/^v1\./, "");

/** Whether something follows from events of a type, thin ones or snapshots. */
export const isFollowed = (type: string): boolean =>
  thinTypes.includes(type) || eventTypes.includes(snapshotType(type));

const pageSize = 100;

/** A page of events that something follows from, the newest first. */
export async function readEvents(stripe: Stripe, { since, after }: EventQuery): Promise<EventPage> {
  const page = await stripe.events.list({
    limit: pageSize,
    types: [...eventTypes],
    ...(since === null ? {} : { created: { gte: Math.floor(since / 1000) } }),
    ...(after === null ? {} : { starting_after: after }),
  });
  return { events: page.data.map(listed), hasMore: page.has_more };
}

function listed(event: Stripe.Event): ListedEvent {
  const { id, type, api_version: apiVersion, created } = event;
  return {
    id,
    type,
    apiVersion,
    createdAt: instantOfEpochMs(created * 1000),
    body: JSON.stringify(event),
  };
}
