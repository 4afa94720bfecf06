import type { Instant } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { parseUsageEvent, type UsageEvent } from "../../domain/metering/index.ts";
import { eventText } from "./event-text.ts";

/** What time it is, which decides what is too old and what is in the future. */
export interface EventClocks {
  readonly now: () => Instant;
  /** The time of those of these customers who are on a test clock; for all others it is `now()`. */
  readonly nowFor: (customerIds: () => readonly string[]) => Promise<ReadonlyMap<string, Instant>>;
  /** How late an event may come, in days; as usual when left out. */
  readonly ageDaysMax?: number;
}

/** Parses each event by itself: where one is bad its refusal stands. */
export async function parsedEvents(
  inputs: readonly unknown[],
  { now, nowFor, ageDaysMax }: EventClocks,
): Promise<readonly (UsageEvent | BillingError)[]> {
  const clocks = await nowFor(() => customersIn(inputs));
  const wallClock = now();
  const timeOf =
    clocks.size === 0
      ? () => wallClock
      : (input: unknown) => clocks.get(customerOf(input) ?? "") ?? wallClock;
  return inputs.map((input) => parsedEvent(input, timeOf(input), ageDaysMax));
}

function parsedEvent(
  input: unknown,
  now: Instant,
  ageDaysMax: number | undefined,
): UsageEvent | BillingError {
  if (input instanceof BillingError) return input;
  try {
    return parseUsageEvent(input, now, ageDaysMax);
  } catch (error) {
    if (error instanceof BillingError) return error;
    throw error;
  }
}

const customerOf = (input: unknown) => eventText(input, "customer") ?? eventText(input, "subject");

const customersIn = (inputs: readonly unknown[]) => [
  ...new Set(inputs.flatMap((input) => customerOf(input) ?? [])),
];
