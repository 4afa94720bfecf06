import { Collection } from "./collection.ts";
import type { Base, Stored } from "./objects.ts";

/** Usage as Stripe's meters count it, and events of the second version of the API. */
export type Meter = Base<"billing.meter"> & {
  readonly customer_mapping: { readonly event_payload_key: string; readonly type: "by_id" };
  readonly default_aggregation: { readonly formula: "count" | "last" | "sum" };
  readonly display_name: string;
  readonly event_name: string;
  readonly event_time_window?: "day" | "hour" | null;
  readonly status: "active" | "inactive";
  readonly status_transitions: { readonly deactivated_at: number | null };
  readonly updated: number;
  readonly value_settings: { readonly event_payload_key: string };
};

/** One meter event that counts, or did until it was canceled. Its identifier is taken for a day from `created`. */
export type MeterUsage = Stored & {
  readonly object: "meter_usage";
  readonly event_name: string;
  readonly total: string;
  readonly value: string;
  readonly at: number;
  readonly canceled: boolean;
};

/** What the events of one customer come to within a minute. */
export type MeterTotal = Stored & {
  readonly object: "meter_total";
  readonly meter_customer: string;
  readonly minute: number;
  readonly count: number;
  /** Exact decimals. */
  readonly sum: string;
  readonly last: { readonly at: number; readonly value: string };
};

/** What opens the stream of meter events for a quarter of an hour. */
export type MeterSession = Stored & {
  readonly object: "meter_session";
  readonly token: string;
  readonly expires_at: number;
};

/** An event that says what has happened to which object, and leaves it to its reader to fetch that. */
export type ThinEvent = Stored & {
  readonly object: "thin_event";
  readonly type: string;
  readonly related?: { readonly id: string; readonly type: string; readonly url: string };
  /** The event of the first version that says the same. */
  readonly snapshot_event?: string;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  /** `data` as JSON text, which is sent to whoever fetches the event. */
  readonly data_json?: string;
};

export type MeteringObjects = {
  "billing.meter": Meter;
  meter_session: MeterSession;
  meter_total: MeterTotal;
  meter_usage: MeterUsage;
  thin_event: ThinEvent;
};

export const meteringCollections = () => ({
  "billing.meter": new Collection<Meter>(),
  meter_session: new Collection<MeterSession>(),
  meter_total: new Collection<MeterTotal>(),
  meter_usage: new Collection<MeterUsage>(),
  thin_event: new Collection<ThinEvent>(),
});
