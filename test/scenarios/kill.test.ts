import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import {
  closedPeriods,
  type MonthlyClose,
  MonthlyCloses,
  undisturbedCloses,
} from "../support/monthly-closes.ts";
import type { Figures } from "../support/system-figures.ts";
import { type Part, type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";

/**
 * One story told twice: once undisturbed, once with a part of the system killed in the middle of each month's close.
 * Both must come to the same, to the last posting, and nothing twice.
 */
const customers = 6;

/** For each close: what dies meanwhile. */
const closes: readonly (MonthlyClose & { readonly dies: Part })[] = [
  { usedAt: "04-15", closedAt: "05-01 02:00", dies: "worker" },
  { usedAt: "05-15", closedAt: "06-01 02:00", dies: "api" },
  { usedAt: "06-15", closedAt: "07-01 02:00", dies: "postgres" },
];

let undisturbed: Figures[];
let system: SystemOfProcesses;
let months: MonthlyCloses;

beforeAll(async () => {
  undisturbed = await undisturbedCloses(closes, customers);
  system = await startSystemOfProcesses({ hasOwnPostgres: true });
  months = await MonthlyCloses.begin(system, customers);
});
afterAll(() => system?.stop());

test.each(closes)(
  "$dies is killed in the middle of the close at $closedAt",
  { timeout: 120_000 },
  async (each) => {
    const index = closes.indexOf(each);
    await months.reportUsage(each);
    let closedBefore = 0;
    const meanwhile = async () => {
      closedBefore = await firstClosed(customers * index);
      await system.kill(each.dies);
      await system.start(each.dies);
    };
    const figures = await months.close(each, { meanwhile, patienceMs: 100_000 });
    expect(closedBefore).toBeLessThan(customers);
    // Two of three plans are charged in advance when they begin.
    expect(undisturbed[index]?.invoices).toHaveLength((customers * 2) / 3 + customers * (index + 1));
    expect(figures).toEqual(undisturbed[index]);
    await expectInvariants(system.db);
  },
);

/** Waits until the first periods of a close are closed, and answers how many they are. */
async function firstClosed(before: number): Promise<number> {
  for (;;) {
    const closed = (await closedPeriods(system.db)) - before;
    if (closed > 0) return closed;
    await delay(2);
  }
}
