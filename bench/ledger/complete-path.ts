import { setTimeout as delay } from "node:timers/promises";
import type { LedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import { type RateRun, rateWatch } from "./calls.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";
import { randomNumbers, type Workload } from "./workload.ts";

/** The complete path: callers in TypeScript, each with one entry at a time, through the ledger's writer. */
export interface CallersRun {
  readonly workload: Workload;
  readonly callers: number;
  readonly seconds: number;
}

/** Every caller posts, waits until its entry is durable, and posts the next one. */
export async function runCallers(
  ledger: LedgerUnderTest,
  writer: LedgerWriter,
  { workload, callers, seconds }: CallersRun,
): Promise<RateRun> {
  const watch = rateWatch(ledger.server.pid);
  let entries = 0;
  const caller = async () => {
    while (watch.seconds() < seconds) {
      await postOne(ledger, writer, workload);
      entries++;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return watch.rate(entries);
}

/** Milliseconds from when a call was due until its entry was durable. */
export interface LatencyRun {
  readonly calls: number;
  /** As scheduled. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Calls come at random instants, at so many a second on average, whether earlier ones have been answered or not. A call
 * that is sent late, because this process or the database was busy, has waited since it was due.
 */
export async function runSchedule(
  ledger: LedgerUnderTest,
  writer: LedgerWriter,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<LatencyRun> {
  const due = arrivals(perSecond, seconds);
  // Nothing is kept of a call but its figure: pauses to collect what the measurement leaves behind would be measured too.
  const latencies = new Float64Array(due.length);
  const answered = Promise.withResolvers<void>();
  let [sent, counted] = [0, 0];
  const startedAt = performance.now();
  const now = () => performance.now() - startedAt;
  const send = (dueAt: number) =>
    postOne(ledger, writer, "uniform").then(() => {
      latencies[counted++] = now() - dueAt;
      if (counted === due.length) answered.resolve();
    }, answered.reject);
  while (sent < due.length) {
    for (let at = due[sent]; at !== undefined && at <= now(); at = due[++sent]) send(at);
    await delay(1);
  }
  await answered.promise;
  const sorted = latencies.sort();
  const percentile = (share: number) => round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
  return { calls: due.length, perSecond, p50: percentile(0.5), p99: percentile(0.99), max: percentile(1) };
}

async function postOne(ledger: LedgerUnderTest, writer: LedgerWriter, workload: Workload): Promise<void> {
  const { sourceKey, status } = await writer.post(ledger.stream.next(workload), "benchmark");
  if (status !== "created") throw new Error(`entry ${sourceKey}: ${status}`);
  ledger.acknowledge(1);
}

/** Milliseconds; the gaps are exponentially distributed, as those of independent callers are. */
function arrivals(perSecond: number, seconds: number): number[] {
  const random = randomNumbers(perSecond);
  const instants: number[] = [];
  for (let at = 0; at < seconds * 1_000; at += (-Math.log(1 - random()) * 1_000) / perSecond)
    instants.push(at);
  return instants;
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100;
