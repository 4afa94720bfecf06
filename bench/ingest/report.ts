import { median } from "../figures.ts";
import type { RateRun } from "./measured.ts";
import type { Proof } from "./proof.ts";
import type { VisibleRun } from "./visible.ts";

export interface Measured {
  readonly rates: Readonly<Record<string, readonly RateRun[]>>;
  readonly visible: VisibleRun | undefined;
}

export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly goal: string;
  readonly isMet: boolean;
}

/** Each figure that has a goal, beside it; without those that were not measured. */
export function goalsOf({ rates, visible }: Measured, [few, many]: readonly number[]): Goal[] {
  const rate = (name: string) => medianOf(rates[name], "perSecond");
  const ratio = (name: string, of: string) => {
    const [one, other] = [rate(name), rate(of)];
    return one === undefined || other === undefined ? undefined : Math.round((100 * one) / other) / 100;
  };
  return [
    atLeast("batches of 1,000, events a second", rate("batches"), 50_000),
    atLeast("batches of 1,000, share of the bare handler", ratio("batches", "bare handler"), 0.5),
    atLeast("single events, 64 connections, events a second", rate("single events"), 8_000),
    atLeast(
      `rate with ${many} keys, share of that with ${few}`,
      ratio(`batches at ${many} keys`, `batches at ${few} keys`),
      0.8,
    ),
    withinMs("from accepted to visible in the usage query, p99 in ms", visible?.visible.p99, 100),
    withinMs("from accepted to visible in the entitlement check, p99 in ms", visible?.checked.p99, 100),
  ].filter((goal) => goal !== undefined);
}

function atLeast(what: string, measured: number | undefined, goal: number): Goal | undefined {
  if (measured === undefined) return undefined;
  return { what, measured, goal: `≥ ${goal}`, isMet: measured >= goal };
}

function withinMs(what: string, measured: number | undefined, goal: number): Goal | undefined {
  return measured === undefined ? undefined : { what, measured, goal: `≤ ${goal}`, isMet: measured <= goal };
}

function medianOf(runs: readonly RateRun[] | undefined, figure: keyof RateRun): number | undefined {
  const figures = runs?.map((run) => run[figure]).filter((value) => value !== undefined) ?? [];
  return figures.length === 0 ? undefined : Math.round(10 * median(figures)) / 10;
}

/** What is printed at the end. */
export function summary({
  rates,
  visible,
  goals,
  proof,
}: Measured & { goals: readonly Goal[]; proof: Proof }): string {
  const cells = (...texts: (string | number | undefined)[]) =>
    texts.map((text, index) => (index === 0 ? `${text}`.padEnd(62) : `${text ?? "–"}`.padStart(13))).join("");
  const figures = [
    "perSecond",
    "databaseMicros",
    "serverMicros",
    "senderMicros",
    "perSecondByCpu",
    "p50",
    "p99",
  ] as const;
  return [
    "",
    cells("medians", "events/s", "database µs", "server µs", "sender µs", "/s by CPU", "p50 ms", "p99 ms"),
    ...Object.entries(rates).map(([name, runs]) =>
      cells(name, ...figures.map((figure) => medianOf(runs, figure))),
    ),
    ...(visible === undefined
      ? []
      : [
          "",
          cells(`beside ${visible.perSecond} events a second`, "p50 ms", "p99 ms"),
          cells("from accepted to visible in the usage query", visible.visible.p50, visible.visible.p99),
          cells(
            "from accepted to visible in the entitlement check",
            visible.checked.p50,
            visible.checked.p99,
          ),
          cells("a request that has nothing to do with usage", visible.health.p50, visible.health.p99),
        ]),
    "",
    cells("goals", "measured", "goal"),
    ...goals.map(({ what, measured, goal, isMet }) => cells(what, measured, goal, isMet ? "met" : "missed")),
    "",
    `${proof.accepted} events were accepted, ${proof.stored} are stored, and each was counted once by each meter`,
  ].join("\n");
}
