import { Stripe } from "stripe";
import { type Instant, isoOf, type Period } from "../domain/calendar/index.ts";
import { classified, StripeCallError } from "./errors.ts";
import { type MeterErrors, readMeterErrors } from "./meter-errors.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

/** A meter as Stripe has it. */
export type StripeMeter = {
  readonly stripeMeterId: string;
  readonly eventName: string;
  readonly formula: string;
  readonly isActive: boolean;
  /** Under which names an event says whose it is, and how much. */
  readonly customerKey: string;
  readonly valueKey: string;
};

/** What is told of a window, as one event. */
export type MeterEventToSend = {
  readonly identifier: string;
  readonly meter: StripeMeter;
  readonly stripeCustomerId: string;
  /** An exact decimal. */
  readonly value: string;
  readonly windowStart: Instant;
  /** What Stripe has counted of the window once it has counted this. */
  readonly expected: string;
};

/** What became of an event or of taking one back: Stripe has it, or refuses it for good. */
export type MeterEventOutcome = { readonly refused: string } | "sent";

export type MeterCount = {
  readonly stripeMeterId: string;
  readonly stripeCustomerId: string;
  readonly period: Period;
};

/** Usage at Stripe's meters. Writes are recorded like all others; sent again under the same identifier they count once. */
export interface StripeMeters {
  list(): Promise<readonly StripeMeter[]>;
  send(event: MeterEventToSend, at: Instant): Promise<MeterEventOutcome>;
  /** Sends up to a hundred events on the stream. What is wrong with them Stripe tells later. */
  stream(batch: string, events: readonly MeterEventToSend[], at: Instant): Promise<void>;
  /** Takes an event of the last day back. `key` is of the taking back. */
  cancel(
    key: string,
    event: { eventName: string; identifier: string },
    at: Instant,
  ): Promise<MeterEventOutcome>;
  /** What Stripe has counted of a customer in a time that begins and ends with a minute: a decimal. */
  counted(of: MeterCount): Promise<string>;
  /** What a thin event says that Stripe has not counted. */
  errorsOf(eventId: string): Promise<readonly MeterErrors[]>;
}

/** @param openStream the SDK with the token of a session instead of a key */
export function stripeMeters(
  stripe: Stripe,
  log: OperationLog,
  openStream: (token: string) => Stripe,
): StripeMeters {
  const stream = meterStream(stripe, openStream);
  return {
    list: () => classified("meters.list", listMeters(stripe)),
    send: (event, at) => outcomeOf(() => sendEvent(stripe, log, event, at)),
    async stream(batch, events, at) {
      const body = { events: events.map(streamedEvent) };
      await recordedCall({
        log,
        key: `meter-stream/${batch}`,
        operation: "POST /v2/billing/meter_event_stream",
        body,
        at,
        send: async () => {
          await stream(body);
          return { done: true };
        },
        find: async () => undefined,
      });
    },
    cancel: (key, event, at) => outcomeOf(() => cancelEvent(stripe, log, { ...event, key, at })),
    counted: (of) => classified("meters.counted", counted(stripe, of)),
    errorsOf: (eventId) => classified("meters.errorsOf", readMeterErrors(stripe, eventId)),
  };
}

async function listMeters(stripe: Stripe): Promise<StripeMeter[]> {
  const meters: StripeMeter[] = [];
  for await (const meter of stripe.billing.meters.list({ limit: 100 })) {
    meters.push({
      stripeMeterId: meter.id,
      eventName: meter.event_name,
      formula: meter.default_aggregation.formula,
      isActive: meter.status === "active",
      customerKey: meter.customer_mapping.event_payload_key,
      valueKey: meter.value_settings.event_payload_key,
    });
  }
  return meters;
}

const payloadOf = ({ meter, stripeCustomerId, value }: MeterEventToSend) => ({
  [meter.customerKey]: stripeCustomerId,
  [meter.valueKey]: value,
});

const secondsOf = (at: Instant): number => Math.floor(at / 1000);

async function sendEvent(stripe: Stripe, log: OperationLog, event: MeterEventToSend, at: Instant) {
  const { identifier, meter, windowStart } = event;
  const body = {
    event_name: meter.eventName,
    identifier,
    payload: payloadOf(event),
    timestamp: secondsOf(windowStart),
  };
  await recordedCall({
    log,
    key: `meter-event/${identifier}`,
    operation: "POST /v1/billing/meter_events",
    body,
    at,
    send: async (options) => {
      await stripe.billing.meterEvents.create(body, options);
      return { done: true };
    },
    find: async () =>
      (await windowAtStripe(stripe, event)) === Number(event.expected) ? { done: true } : undefined,
  });
}

/** All of a window is told at its first minute. */
async function windowAtStripe(stripe: Stripe, { meter, stripeCustomerId, windowStart }: MeterEventToSend) {
  const start = secondsOf(windowStart);
  const range = { customer: stripeCustomerId, start_time: start, end_time: start + 60 };
  const { data } = await stripe.billing.meters.listEventSummaries(meter.stripeMeterId, range);
  return data[0]?.aggregated_value ?? 0;
}

function streamedEvent(event: MeterEventToSend) {
  const { identifier, meter, windowStart } = event;
  const timestamp = isoOf(windowStart);
  return { event_name: meter.eventName, identifier, payload: payloadOf(event), timestamp };
}

/** A session is good for a quarter of an hour; when it is refused another one is opened. */
function meterStream(stripe: Stripe, openStream: (token: string) => Stripe) {
  let session: Stripe | undefined;
  const opened = async () => {
    const { authentication_token: token } = await stripe.v2.billing.meterEventSession.create();
    session = openStream(token);
    return session;
  };
  return async (body: { events: ReturnType<typeof streamedEvent>[] }): Promise<void> => {
    try {
      await (session ?? (await opened())).v2.billing.meterEventStream.create(body);
    } catch (error) {
      if (!(error instanceof Stripe.errors.TemporarySessionExpiredError)) throw error;
      await (await opened()).v2.billing.meterEventStream.create(body);
    }
  };
}

type Cancellation = {
  readonly eventName: string;
  readonly identifier: string;
  readonly key: string;
  readonly at: Instant;
};

async function cancelEvent(
  stripe: Stripe,
  log: OperationLog,
  { eventName, identifier, key, at }: Cancellation,
) {
  const body = { event_name: eventName, type: "cancel", cancel: { identifier } } as const;
  await recordedCall({
    log,
    key: `meter-event/${key}`,
    operation: "POST /v1/billing/meter_event_adjustments",
    body,
    at,
    send: async (options) => {
      await stripe.billing.meterEventAdjustments.create(body, options);
      return { done: true };
    },
    // Taken back twice is taken back once, but whether it was at all Stripe does not say.
    find: async () => undefined,
  });
}

/** A refusal of an identifier that Stripe has says that an earlier answer was lost. */
async function outcomeOf(call: () => Promise<void>): Promise<MeterEventOutcome> {
  try {
    await call();
    return "sent";
  } catch (error) {
    if (!(error instanceof StripeCallError) || error.failure.kind !== "invalid_request") throw error;
    const { code, param } = error.failure;
    return code === "duplicate_meter_event" || param === "identifier" ? "sent" : { refused: code };
  }
}

async function counted(
  stripe: Stripe,
  { stripeMeterId, stripeCustomerId, period }: MeterCount,
): Promise<string> {
  const { data } = await stripe.billing.meters.listEventSummaries(stripeMeterId, {
    customer: stripeCustomerId,
    start_time: secondsOf(period.start),
    end_time: secondsOf(period.end),
  });
  return String(data[0]?.aggregated_value ?? 0);
}
