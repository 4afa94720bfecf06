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
  /** Milliseconds from when it was due to be asked: of the preview, of the change, of both. */
  readonly preview: Percentiles;
  readonly change: Percentiles;
  readonly both: Percentiles;
  /** Milliseconds of CPU for each, by part. */
  readonly cpuMs: CpuByPart;
  /** What each adds to its run's history. */
  readonly eventsEach: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Previews and then makes changes of quantity over HTTP, at a fixed rate whether earlier ones are answered or not. */
export async function measureChanges(
  { client, cpu, temporal }: SystemUnderTest,
  { changes, perSecond, subscriptions }: { changes: number; perSecond: number; subscriptions: number },
  note: Note,
): Promise<ChangesFigures> {
  const load = loadNow();
  const previews: number[] = [];
  const alone: number[] = [];
  const both: number[] = [];
  let failures = 0;
  const one = async (number: number, dueAt: number) => {
    const params = { path: { id: subscriptionOf(number % subscriptions) } };
    const seats = 4 + Math.floor(number / subscriptions);
    try {
      const shown = await client.post("/v1/subscriptions/{id}/change-preview", {
        params,
        body: { kind: "change_quantity", seats },
      });
      const previewedAt = performance.now();
      const { effective_at, quote } = shown;
      await client.post("/v1/subscriptions/{id}/change-quantity", {
        params,
        body: { seats, preview: { effective_at, quote } },
      });
      previews.push(previewedAt - dueAt);
      alone.push(performance.now() - previewedAt);
      both.push(performance.now() - dueAt);
    } catch (error) {
      failures += 1;
      if (failures === 1) note(String(error));
    }
  };
  const historyLength = async () =>
    (await temporal.workflow.getHandle(workflowIds.subscription(subscriptionOf(0))).describe()).historyLength;
  const lengthBefore = await historyLength();
  const spent = cpu();
  const startedAt = performance.now();
  const under: Promise<void>[] = [];
  for (let number = 0; number < changes; number++) {
    const dueAt = startedAt + (number * 1_000) / perSecond;
    await delay(Math.max(0, dueAt - performance.now()));
    if (number % perSecond === 0) note(`${number} of ${changes} changes`);
    under.push(one(number, dueAt));
  }
  await Promise.all(under);
  const cpuMs = Object.fromEntries(
    Object.entries(spent()).map(([part, seconds]) => [part, Math.round((seconds * 100_000) / changes) / 100]),
  );
  return {
    ...{ load, changes, failures, asksPerSecond: perSecond },
    ...{ preview: percentiles(previews), change: percentiles(alone), both: percentiles(both) },
    cpuMs,
    eventsEach: ((await historyLength()) - lengthBefore) / Math.ceil(changes / subscriptions),
  };
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
  return { p50: at(0.5), p99: at(0.99) };
}
