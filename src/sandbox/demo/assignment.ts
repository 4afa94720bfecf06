import { type Instant, lengthMs, type Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { ModelKey } from "./catalog.ts";
import type { TraceRequest } from "./trace.ts";

/** A request of the trace as the demo tells it: whose it was, which model answered, and when. */
export interface AssignedRequest {
  readonly index: number;
  readonly customerId: string;
  readonly model: ModelKey;
  readonly time: Instant;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A request with more context than this goes to the model "deep", any other to "swift". */
export const swiftContextMax = 2_048;

/**
 * The fixed rule that turns the trace, which names neither customers nor models and spans less than an hour, into a
 * month of usage. It uses no randomness: the same trace, customers and month always give the same requests.
 *
 * - Customer: the weights of all W customers, laid end to end, number the slots 0 to W − 1. Request i takes slot
 *   (i × stride) mod W; the stride has no factor in common with W, so every W requests in a row give each customer
 *   exactly its weight, well mixed.
 * - Model: by the size of the context (see {@link swiftContextMax}).
 * - Time: the whole trace is stretched evenly over the month. The first request falls on its start, the last just
 *   before its end, and the order is kept.
 *
 * Tokens are never changed: the totals are the file's.
 */
export function assignRequests(
  trace: readonly TraceRequest[],
  customers: readonly { readonly id: string; readonly weight: number }[],
  month: Period,
): AssignedRequest[] {
  const slots = customers.flatMap(({ id, weight }) => Array.from({ length: weight }, () => id));
  const stride = strideOver(slots.length);
  const timeOf = stretchOver(trace, month);
  return trace.map(({ index, ticks, inputTokens, outputTokens }) => {
    const customerId = slots[(index * stride) % slots.length];
    invariant(customerId !== undefined, "every slot belongs to a customer");
    const model = inputTokens > swiftContextMax ? "deep" : "swift";
    return { index, customerId, model, time: timeOf(ticks), inputTokens, outputTokens };
  });
}

/** The first number from 3/8 of the slots on that shares no factor with them: neighbours land far apart. */
function strideOver(slots: number): number {
  invariant(slots > 0, "somebody must make the requests");
  let stride = Math.ceil((slots * 3) / 8);
  while (greatestCommonDivisor(stride, slots) !== 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}

function stretchOver(trace: readonly TraceRequest[], month: Period): (ticks: bigint) => Instant {
  const first = trace[0]?.ticks ?? 0n;
  const span = (trace.at(-1)?.ticks ?? 0n) - first + 1n;
  const monthMs = BigInt(lengthMs(month));
  return (ticks) => (month.start + Number(((ticks - first) * monthMs) / span)) as Instant;
}
