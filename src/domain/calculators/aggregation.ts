import { type Instant, lengthMs, type Period } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import {
  type Contribution,
  compileMeters,
  contributionsOf,
  type Dimensions,
  type JsonValue,
  type Meter,
  payloadFingerprint,
  quantityOf,
  type Series,
  stateOf,
  type UsageEvent,
  type WindowSize,
  windowsOf,
} from "../metering/index.ts";
import type { Decimal } from "../money/index.ts";

/**
 * What a second event with the key of an earlier one does. ignored: nothing, and when it says something else it is reported
 * as a conflict, as production does. rejected: the whole question is refused. last_wins: it takes the place of the first.
 */
export const duplicateRules = ["ignored", "rejected", "last_wins"] as const;

export interface AggregationQuestion {
  readonly meter: Meter;
  readonly events: readonly {
    readonly id: string;
    readonly time: Instant;
    readonly data: Readonly<Record<string, JsonValue>>;
  }[];
  readonly period: Period;
  readonly duplicates: (typeof duplicateRules)[number];
  /** Of the windows that the quantity is split into; null for none. */
  readonly windows: { readonly size: WindowSize; readonly timeZone: string } | null;
}

export interface AggregationAnswer {
  readonly quantity: Decimal;
  readonly groups: readonly { readonly dimensions: Dimensions; readonly quantity: Decimal }[];
  readonly windows: readonly { readonly period: Period; readonly quantity: Decimal }[];
  /** Of events that count in the period. */
  readonly counted: number;
  readonly duplicates: readonly string[];
  readonly conflicts: readonly string[];
}

export class DuplicateEventError extends BillingError {
  readonly code = "usage_event_duplicate";
  constructor(id: string, index: number) {
    super(
      `event "${id}" is there twice: send it once, or choose another rule for duplicates`,
      `events[${index}].id`,
    );
  }
}

export class WindowsTooManyError extends BillingError {
  readonly code = "windows_too_many";
}

/** The most windows that one answer has: the hours of a month. */
export const windowsMax = 750;

const shortestMs = { minute: 60_000, hour: 3_600_000, day: 23 * 3_600_000 } as const;

/** A contribution with its place in time. */
type Measured = Contribution & { readonly time: Instant; readonly seq: bigint };

/**
 * What a meter reads in a period for these events.
 * @throws DuplicateEventError, WindowsTooManyError, and refusals of an event with `field` such as `events[3].data.tokens`
 */
export function calculateAggregation(question: AggregationQuestion): AggregationAnswer {
  const { meter, period, windows } = question;
  if (windows !== null && lengthMs(period) / shortestMs[windows.size] > windowsMax) {
    throw new WindowsTooManyError(`ask for at most ${windowsMax} windows: shorten the period`, "windows");
  }
  const { events, duplicates, conflicts } = withoutDuplicates(question);
  const measured = measuredBy(meter, events);
  const inPeriod = measured.filter(({ time }) => period.start <= time && time < period.end);
  return {
    quantity: quantityIn(meter, measured, period),
    groups: [...Map.groupBy(measured, (each) => each.dimensionsKey)]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, group]) => ({
        dimensions: group[0]?.dimensions ?? {},
        quantity: quantityIn(meter, group, period),
      })),
    windows:
      windows === null
        ? []
        : [...windowsOf(period, windows.size, windows.timeZone)].map((window) => {
            const part = { start: later(window.start, period.start), end: earlier(window.end, period.end) };
            return { period: part, quantity: quantityIn(meter, measured, part) };
          }),
    counted: inPeriod.length,
    duplicates,
    conflicts,
  };
}

interface Numbered {
  readonly index: number;
  readonly event: UsageEvent;
}

function withoutDuplicates({ meter, events, duplicates: rule }: AggregationQuestion) {
  const kept = new Map<string, Numbered>();
  const duplicates: string[] = [];
  const conflicts: string[] = [];
  for (const [index, { id, time, data }] of events.entries()) {
    const event = { id, source: "calculator", customerId: "calculator", type: meter.eventType, time, data };
    const first = kept.get(id);
    if (first === undefined) {
      kept.set(id, { index, event });
      continue;
    }
    if (rule === "rejected") throw new DuplicateEventError(id, index);
    const isSame = payloadFingerprint(first.event) === payloadFingerprint(event);
    (isSame ? duplicates : conflicts).push(id);
    if (rule === "last_wins") kept.set(id, { index, event });
  }
  return { events: [...kept.values()], duplicates, conflicts };
}

function measuredBy(meter: Meter, events: readonly Numbered[]): Measured[] {
  const compiled = compileMeters([meter]);
  return events.flatMap(({ index, event }) => {
    try {
      const contributions = contributionsOf(event, compiled) ?? [];
      return contributions.map((each) => ({ ...each, time: event.time, seq: BigInt(index) }));
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      throw new EventNotMeasurableError(error, index);
    }
  });
}

/** The refusal of one event of several, by its place. */
export class EventNotMeasurableError extends BillingError {
  readonly code: string;
  constructor(refusal: BillingError, index: number) {
    super(refusal.message, `events[${index}]${refusal.field === undefined ? "" : `.${refusal.field}`}`);
    this.code = refusal.code;
  }
}

/** A series for each combination of dimension values; only levels go on holding from before the period. */
function quantityIn(meter: Meter, measured: readonly Measured[], { start, end }: Period): Decimal {
  const holds = meter.aggregation === "time_weighted_sum";
  const relevant = measured.filter(({ time }) => time < end && (holds || start <= time));
  const groups = [...Map.groupBy(relevant, (each) => each.dimensionsKey).values()];
  const series = groups.map((group): Series => {
    const before = group.filter(({ time }) => time < start).toSorted(byTime);
    const inside = group.filter(({ time }) => start <= time);
    return {
      states: inside.map((each) => stateOf(meter.aggregation, each)),
      carryIn: before.at(-1)?.quantity ?? null,
    };
  });
  return quantityOf(meter, series, { start, end });
}

const byTime = (one: Measured, other: Measured) => one.time - other.time || Number(one.seq - other.seq);

const later = (one: Instant, other: Instant) => (one > other ? one : other);
const earlier = (one: Instant, other: Instant) => (one < other ? one : other);
