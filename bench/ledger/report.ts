import { median } from "../figures.ts";
import type { RateRun } from "./calls.ts";
import type { LatencyRun } from "./complete-path.ts";
import type { StorageFigures } from "./whole-ledger.ts";

/** Half of the rate that is asked of the complete path, or of what it did in this run. */
export type HalfOf = "asked" | "measured";

export type HalfLoadRun = LatencyRun & { readonly halfOf: HalfOf };

/** Entries a second. */
export const completePathGoal = 10_000;

interface Measured {
  readonly rates: Readonly<Record<string, readonly RateRun[]>>;
  readonly latencies: readonly HalfLoadRun[];
}

export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly goal: string;
  readonly isMet: boolean;
}

/** Entries a second; undefined when it was not measured. */
export const medianRate = (runs: readonly RateRun[] | undefined): number | undefined =>
  runs === undefined ? undefined : Math.round(median(runs.map(({ perSecond }) => perSecond)));

/** Each figure that has a goal, beside it; without those that were not measured. */
export function goalsOf({ rates, latencies }: Measured): Goal[] {
  const rate = (name: string) => medianRate(rates[name]);
  const goals: (Goal | undefined)[] = [
    atLeast("complete path, entries a second", rate("complete, uniform"), completePathGoal),
    atLeast(
      "complete path, hot account, share of uniform",
      shareOf(rates, "complete, hot", "complete, uniform"),
      0.9,
    ),
    atLeast("in the database, 1,000 a call, entries a second", rate("uniform, 1000 a call"), 20_000),
    singleCalls("asked", latencies),
    singleCalls("measured", latencies),
    atLeast("recompute, postings a second", rate("recompute"), 400_000),
    ...[1, 100, 1_000].map((batch) =>
      atLeast(
        `in the database, share of the machine's limit, ${batch} a call`,
        shareOf(rates, `uniform, ${batch} a call`, `limit, ${batch} a call`),
        1,
      ),
    ),
    atLeast(
      "complete path, share of the machine's limit, 1 a call",
      shareOf(rates, "complete, uniform", "limit, 1 a call"),
      1,
    ),
  ];
  return goals.filter((goal) => goal !== undefined);
}

function singleCalls(halfOf: HalfOf, latencies: readonly HalfLoadRun[]): Goal | undefined {
  const runs = latencies.filter((run) => run.halfOf === halfOf);
  const [first] = runs;
  if (first === undefined) return undefined;
  const p99 = median(runs.map((run) => run.p99));
  const what = `single call at ${first.perSecond}/s, half of what is ${halfOf}, p99 in ms`;
  return { what, measured: p99, goal: "≤ 15", isMet: p99 <= 15 };
}

function atLeast(what: string, measured: number | undefined, goal: number): Goal | undefined {
  if (measured === undefined) return undefined;
  return { what, measured, goal: `≥ ${goal}`, isMet: measured >= goal };
}

/** The median of the ratios of runs that were made one after the other, to two places. */
function shareOf(rates: Measured["rates"], name: string, of: string): number | undefined {
  const [runs, others] = [rates[name], rates[of]];
  if (runs === undefined || others === undefined) return undefined;
  const percents = runs.map(
    ({ perSecond }, index) => (100 * perSecond) / (others[index]?.perSecond ?? Number.NaN),
  );
  return Math.round(median(percents)) / 100;
}

/** What is printed at the end. */
export function summary({
  goals,
  rates,
  latencies,
  storage,
  proof,
}: Measured & {
  readonly goals: readonly Goal[];
  readonly storage: StorageFigures | undefined;
  readonly proof: { readonly acknowledged: number; readonly present: number };
}): string {
  const cells = (...texts: (string | number | undefined)[]) =>
    texts.map((text, index) => (index === 0 ? `${text}`.padEnd(62) : `${text ?? "–"}`.padStart(14))).join("");
  const cpu = (runs: readonly RateRun[], side: "serverMicros" | "clientMicros") =>
    median(runs.map((run) => run[side] ?? Number.NaN));
  return [
    "",
    cells("medians", "per second", "server µs", "client µs"),
    ...Object.entries(rates).map(([name, runs]) =>
      cells(name, medianRate(runs), cpu(runs, "serverMicros"), cpu(runs, "clientMicros")),
    ),
    "",
    ...latencies.map(({ perSecond, p50, p99, max }) =>
      cells(`${perSecond} calls a second`, `p50 ${p50} ms`, `p99 ${p99} ms`, `max ${max} ms`),
    ),
    ...(storage === undefined ? [] : storageLines(storage, cells)),
    "",
    cells("goals", "measured", "goal"),
    ...goals.map(({ what, measured, goal, isMet }) => cells(what, measured, goal, isMet ? "met" : "missed")),
    "",
    `V1 to V3 hold; ${proof.acknowledged} entries were acknowledged and ${proof.present} are there`,
  ].join("\n");
}

function storageLines(
  { bytesPerEntry, walPerEntry, tables }: StorageFigures,
  cells: (...texts: (string | number)[]) => string,
): string[] {
  return [
    "",
    cells("bytes for each entry", "total", "its indexes"),
    ...Object.entries(tables).map(([name, { total, indexes }]) => cells(name, total, indexes)),
    cells("all tables", bytesPerEntry),
    cells("write-ahead log", walPerEntry),
  ];
}
