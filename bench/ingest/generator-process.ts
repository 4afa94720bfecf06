import { setTimeout as delay } from "node:timers/promises";
import { type HttpTarget, openHttpConnection } from "./http-connection.ts";
import { answerParent, optionsGiven } from "./messages.ts";
import { type WorkloadOptions, workload } from "./workload.ts";

/** A service that sends events: makes them, sends them in batches on several connections, and reads every answer. */
export interface LoadOptions {
  readonly target: HttpTarget;
  readonly connections: number;
  /** Events a request. */
  readonly batch: number;
  readonly seconds: number;
  /** The first event; those after it follow. */
  readonly from: number;
  /** Events a second, when they come at a pace of their own; as fast as they are taken in when left out. */
  readonly perSecond?: number;
}

export interface LoadResult {
  /** The event after the last one that was sent. */
  readonly to: number;
  /** As the answers say. */
  readonly accepted: number;
  readonly seconds: number;
  /** Of a request, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const events = workload(optionsGiven<WorkloadOptions>());

async function load({
  target,
  connections,
  batch,
  seconds,
  from,
  perSecond,
}: LoadOptions): Promise<LoadResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => openHttpConnection(target)));
  const latencies: number[] = [];
  let [next, accepted] = [from, 0];
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const isDue = () => perSecond === undefined || next - from <= (elapsed() * perSecond) / 1_000;
  await Promise.all(
    open.map(async (connection) => {
      while (elapsed() < seconds * 1_000) {
        if (!isDue()) {
          await delay(1);
          continue;
        }
        const first = next;
        next += batch;
        const body = batch === 1 ? events.textOf(first) : events.batchText(first, next);
        const sentAt = performance.now();
        const answer = await connection.post(body);
        latencies.push(performance.now() - sentAt);
        accepted += acceptedIn(answer, batch);
      }
    }),
  );
  const took = elapsed() / 1_000;
  for (const connection of open) connection.close();
  latencies.sort((one, other) => one - other);
  const percentile = (share: number) =>
    Math.round((latencies[Math.ceil(share * latencies.length) - 1] ?? 0) * 10) / 10;
  return { to: next, accepted, seconds: took, p50: percentile(0.5), p99: percentile(0.99) };
}

function acceptedIn({ status, body }: { status: number; body: string }, batch: number): number {
  const answer = JSON.parse(body) as { accepted?: number };
  if (status !== 200 || answer.accepted !== batch) throw new Error(`${status}: ${body.slice(0, 500)}`);
  return batch;
}

answerParent({}, { answer: load, end: async () => {} });
