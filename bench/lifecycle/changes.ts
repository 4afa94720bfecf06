import { setTimeout as delay } from "node:timers/promises";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { loadNow } from "../figures.ts";
import type { CpuByPart, SystemUnderTest } from "./system-under-test.ts";
import { subscriptionOf } from "./workload.ts";

export interface ChangesFigures {
  readonly load: number;
  readonly changes: number;
  readonly failures: number;
  readonly asksPerSecond: number;
  /** Milliseconds from when it was due to be asked: of a preview alone, and of a change, whose answer has all that a preview has. */
  readonly preview: Percentiles;
  readonly change: Percentiles;
  /** Milliseconds of CPU for each change and for each preview, by part. */
  readonly cpuMs: CpuByPart;
  readonly previewCpuMs: CpuByPart;
  /** What each change adds to its run's history. */
  readonly eventsEach: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

interface Asked {
  readonly changes: number;
  readonly perSecond: number;
  readonly subscriptions: number;
}

/**
 * Changes plans over HTTP, there and back again: four lines of a proration each, which go on the invoice of the period. First as
 * many previews, then the changes; at a fixed rate, whether earlier ones are answered or not.
 */
export async function measureChanges(
  system: SystemUnderTest,
  { changes, perSecond, subscriptions }: Asked,
  note: Note,
): Promise<ChangesFigures> {
  const { client } = system;
  const load = loadNow();
  const wanted = (number: number) => ({
    params: { path: { id: subscriptionOf(number % subscriptions) } },
    body: {
      plan: Math.floor(number / subscriptions) % 2 === 0 ? "team" : "pro",
      proration: { settle: "next_invoice" } as const,
    },
  });
  const rate = { count: changes, perSecond, note };
  const previews = await atRate(system, { ...rate, what: "previews" }, async (number) => {
    const { params, body } = wanted(number % subscriptions);
    const { lines } = await client.post("/v1/subscriptions/{id}/change-preview", {
      params,
      body: { kind: "change_plan", ...body },
    });
    if (lines.length === 0) throw new Error("a change without a line");
  });
  const eventsBefore = await historyLength(system);
  const made = await atRate(system, { ...rate, what: "changes" }, async (number) => {
    await client.post("/v1/subscriptions/{id}/change-plan", wanted(number));
  });
  return {
    ...{ load, changes, failures: previews.failures + made.failures, asksPerSecond: perSecond },
    ...{ preview: percentiles(previews.latencies), change: percentiles(made.latencies) },
    ...{ cpuMs: made.cpuMs, previewCpuMs: previews.cpuMs },
    eventsEach: ((await historyLength(system)) - eventsBefore) / Math.ceil(changes / subscriptions),
  };
}

interface Rate {
  readonly count: number;
  readonly perSecond: number;
  readonly what: string;
  readonly note: Note;
}

interface AskedAtRate {
  /** Milliseconds from when each was due. */
  readonly latencies: readonly number[];
  readonly failures: number;
  /** Milliseconds for each. */
  readonly cpuMs: CpuByPart;
}

async function atRate(
  { cpu }: Pick<SystemUnderTest, "cpu">,
  { count, perSecond, what, note }: Rate,
  ask: (number: number) => Promise<void>,
): Promise<AskedAtRate> {
  const latencies: number[] = [];
  let failures = 0;
  const one = async (number: number, dueAt: number) => {
    try {
      await ask(number);
      latencies.push(performance.now() - dueAt);
    } catch (error) {
      failures += 1;
      if (failures === 1) note(String(error));
    }
  };
  const spent = cpu();
  const startedAt = performance.now();
  const under: Promise<void>[] = [];
  for (let number = 0; number < count; number++) {
    const dueAt = startedAt + (number * 1_000) / perSecond;
    await delay(Math.max(0, dueAt - performance.now()));
    if (number % perSecond === 0) note(`${number} of ${count} ${what}`);
    under.push(one(number, dueAt));
  }
  await Promise.all(under);
  const each = Object.entries(spent()).map(([part, seconds]) => [
    part,
    Math.round((seconds * 100_000) / count) / 100,
  ]);
  return { latencies, failures, cpuMs: Object.fromEntries(each) };
}

async function historyLength({ temporal }: SystemUnderTest): Promise<number> {
  const run = temporal.workflow.getHandle(workflowIds.subscription(subscriptionOf(0)));
  return (await run.describe()).historyLength;
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
  return { p50: at(0.5), p99: at(0.99) };
}
