import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** What a figure depends on and does not say by itself. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: rounded(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
  };
}

/** How many programs wanted to run, on average over the last minute; the run before this one is among them. */
export const loadNow = (): number => rounded(loadavg()[0] ?? 0);

/** The middle one; the mean of the middle two where their number is even. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return rounded((lower + upper) / 2);
}

/** A stop-watch: gives the seconds since it was made. */
export function stopwatch(): () => number {
  const startedAt = performance.now();
  return () => rounded((performance.now() - startedAt) / 1000);
}

export function writeFigures(file: string, figures: unknown): void {
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}

/** Figures are kept to a tenth: more digits would be noise. */
const rounded = (figure: number) => Math.round(figure * 10) / 10;
