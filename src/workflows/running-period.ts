import {
  type BillingAnchor,
  type Instant,
  instant,
  type Period,
  periodAt,
} from "../domain/calendar/index.ts";
import type { RunningAnchor, RunningSubscription } from "./messages.ts";

/** The period that a subscription's run is in: it moves on with the run, whatever the time is. */
export function runningPeriod({
  anchor,
  periodIndex,
}: Pick<RunningSubscription, "anchor" | "periodIndex">): Period {
  const { start, end } = periodAt(anchorOf(anchor), periodIndex);
  const from = anchor.from === undefined ? start : instant(anchor.from);
  return { start: from > start ? from : start, end };
}

function anchorOf({ at, unit, count, timeZone }: RunningAnchor): BillingAnchor {
  return { at: instant(at), interval: { unit, count }, timeZone };
}

/** The first of those instants that there are. */
export function earliest(instants: readonly (string | null)[]): Instant | null {
  const found = instants.flatMap((at) => (at === null ? [] : [instant(at)]));
  return found.toSorted((one, other) => one - other)[0] ?? null;
}
