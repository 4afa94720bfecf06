import { addDuration, type Instant, type Period } from "../../domain/calendar/index.ts";
import type { AssignedRequest } from "./assignment.ts";

/**
 * first: a request's event is sent. again: the same event once more, as after a timeout. contradiction: another event
 * under the same key, which must not replace the first.
 */
export type DeliveryKind = "first" | "again" | "contradiction";

export interface Delivery {
  readonly kind: DeliveryKind;
  readonly at: Instant;
  readonly request: AssignedRequest;
}

/** When the usage of one month is sent. */
export interface DeliveryTimes {
  readonly month: Period;
  /** All instants at which the demo stands still and can send, ascending; the last is not before `afterClose`. */
  readonly stops: readonly Instant[];
  /** After the month's end, inside the grace. */
  readonly inGrace: Instant;
  /** After its invoices were issued; null when no later invoice could bill what is sent then. */
  readonly afterClose: Instant | null;
  /** The customer who cancels at the month's end: no invoice comes after, so all its usage is reported before. */
  readonly leaving: string;
}

/** One request in nineteen is sent again at the next stop. */
const isSentAgain = (index: number) => index % 19 === 7;
/** One in 1,249 is contradicted at the next stop. */
const isContradicted = (index: number) => index % 1_249 === 11;
/** In the last three days of a month, one in nineteen arrives in the grace only. */
const isOftenLate = (index: number) => index % 19 === 13;
/** One in 199 arrives when its invoice is out. */
const isVeryLate = (index: number) => index % 199 === 100;

/**
 * The fixed rule for how a month's events arrive: at the first stop after their time, but for a few that come late,
 * come twice, or contradict what was said.
 */
export function planDeliveries(
  requests: readonly AssignedRequest[],
  { month, stops, inGrace, afterClose, leaving }: DeliveryTimes,
): Delivery[] {
  const oftenLateFrom = addDuration(month.end, { days: -3 }, "UTC");
  const sendAt = ({ index, customerId, time }: AssignedRequest): Instant => {
    if (afterClose !== null && isVeryLate(index) && customerId !== leaving) return afterClose;
    if (isOftenLate(index) && time >= oftenLateFrom) return inGrace;
    return stopFrom(stops, time);
  };
  return requests.flatMap((request) => {
    const at = sendAt(request);
    const next = stopFrom(stops, (at + 1) as Instant);
    const deliveries: Delivery[] = [{ kind: "first", at, request }];
    if (isSentAgain(request.index)) deliveries.push({ kind: "again", at: next, request });
    if (isContradicted(request.index)) deliveries.push({ kind: "contradiction", at: next, request });
    return deliveries;
  });
}

function stopFrom(stops: readonly Instant[], from: Instant): Instant {
  const stop = stops.find((each) => each >= from);
  if (stop === undefined) throw new RangeError("the demo stops once more after all usage was sent");
  return stop;
}
