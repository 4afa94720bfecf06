import type { Consumer } from "@platformatic/kafka";
import { logEdges } from "./log-bounds.ts";
import type { UsageLogMetrics } from "./usage-log-metrics.ts";

export interface PositionReport {
  readonly consumer: Consumer;
  readonly topic: string;
  /** Partition → offset of the message that comes next. */
  readonly positions: ReadonlyMap<number, bigint>;
  readonly metrics: UsageLogMetrics;
}

/**
 * Tells the metrics how far behind the log's end the positions are, and tells the broker the positions, for tools that ask
 * there. Nobody reads them back: what counts is in the database.
 */
export async function reportPositions({
  consumer,
  topic,
  positions,
  metrics,
}: PositionReport): Promise<void> {
  try {
    const ends = await logEdges(consumer, topic, [...positions.keys()], "end");
    metrics.stands(
      new Map(
        [...positions].map(([partition, position]) => [
          partition,
          { position, end: ends.get(partition) ?? position },
        ]),
      ),
    );
    const offsets = [...positions].map(([partition, offset]) => ({
      topic,
      partition,
      offset,
      leaderEpoch: -1,
    }));
    await consumer.commit({ offsets });
  } catch {
    // What is wrong with the broker or the group is noticed by those who read.
  }
}
