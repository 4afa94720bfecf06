import type { Consumer } from "@platformatic/kafka";
import { ListOffsetTimestamps } from "@platformatic/kafka";
import type { ClaimedPosition } from "../../db/usage/usage-log.ts";
import { BillingError } from "../../domain/errors.ts";

/** Messages were deleted before they were read: their retention is shorter than the time they had to wait. */
export class UsageLogMessagesLostError extends BillingError {
  readonly code = "usage_log_messages_lost";
}

/** The log ends before the place up to which it was read: the broker has lost messages, and gives their offsets to others. */
export class UsageLogTruncatedError extends BillingError {
  readonly code = "usage_log_truncated";
}

type Edge = "start" | "end";

const timestamps = { start: ListOffsetTimestamps.EARLIEST, end: ListOffsetTimestamps.LATEST };

/** Partition → offset of its oldest message, or of the one that comes next. */
export async function logEdges(
  consumer: Consumer,
  topic: string,
  partitions: readonly number[],
  edge: Edge,
): Promise<ReadonlyMap<number, bigint>> {
  const offsets = await consumer.listOffsets({
    topics: [topic],
    partitions: { [topic]: [...partitions] },
    timestamp: timestamps[edge],
  });
  const ofTopic = offsets.get(topic) ?? [];
  return new Map(partitions.map((partition) => [partition, ofTopic[partition] ?? 0n]));
}

/** @throws UsageLogMessagesLostError, UsageLogTruncatedError when the log does not hold what comes next */
export function requirePositions(
  positions: readonly ClaimedPosition[],
  starts: ReadonlyMap<number, bigint>,
  ends: ReadonlyMap<number, bigint>,
): void {
  for (const { partition, nextOffset } of positions) {
    const [start = 0n, end = 0n] = [starts.get(partition), ends.get(partition)];
    if (nextOffset < start) {
      const lost = `messages ${nextOffset} to ${start - 1n} of partition ${partition} were deleted before they were read`;
      throw new UsageLogMessagesLostError(lost);
    }
    if (nextOffset > end) {
      const cut = `partition ${partition} was read up to ${nextOffset}, and ends at ${end} now`;
      throw new UsageLogTruncatedError(cut);
    }
  }
}
