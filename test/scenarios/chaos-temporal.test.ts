import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type KillableTemporal, openKillableTemporal } from "../support/killable-temporal.ts";
import {
  closedPeriods,
  type MonthlyClose,
  MonthlyCloses,
  undisturbedCloses,
} from "../support/monthly-closes.ts";
import type { Figures } from "../support/system-figures.ts";
import { type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";

/**
 * Temporal is taken away in the middle of closes: killed and started again on its file, between what an activity commits and
 * what it says, or kept from its database. What comes of it is what comes of the same story undisturbed, and nothing twice.
 */
const isNightly = process.env.NIGHTLY === "1";
const customers = 6;

/** Longer than anything waits for an answer, so that whoever has no news of it is given up. */
const awayMs = 15_000;

interface Disturbance extends MonthlyClose {
  readonly what: string;
  readonly meanwhile: () => Promise<void>;
}

let undisturbed: Figures[];
let temporal: KillableTemporal;
let system: SystemOfProcesses;
let months: MonthlyCloses;

const disturbances: readonly Disturbance[] = [
  {
    what: "is killed before what activities do is committed, and is there again after they said so to nobody",
    usedAt: "04-15",
    closedAt: "05-01 02:00",
    meanwhile: async () => {
      const letGo = await holdCloses();
      await temporal.kill();
      await letGo();
      await closings(1);
      await delay(awayMs);
      await temporal.restart();
    },
  },
  {
    what: "is killed three times in one close",
    usedAt: "05-15",
    closedAt: "06-01 02:00",
    meanwhile: async () => {
      for (const more of [1, 2, 4]) {
        await closings(more, customers);
        await temporal.kill();
        await temporal.restart();
      }
    },
  },
  {
    what: "cannot write to its database",
    usedAt: "06-15",
    closedAt: "07-01 02:00",
    meanwhile: async () => {
      await closings(1, 2 * customers);
      const unlock = temporal.lockDatabase();
      await delay(awayMs);
      unlock();
    },
  },
  {
    what: "answers nobody",
    usedAt: "07-15",
    closedAt: "08-01 02:00",
    meanwhile: async () => {
      await closings(1, 3 * customers);
      temporal.suspend();
      await delay(awayMs);
      temporal.resume();
    },
  },
].slice(0, isNightly ? undefined : 1);

beforeAll(async () => {
  undisturbed = await undisturbedCloses(disturbances, customers);
  temporal = await openKillableTemporal();
  system = await startSystemOfProcesses({ temporalAddress: temporal.address });
  months = await MonthlyCloses.begin(system, customers);
});
afterAll(async () => {
  await system?.stop();
  await temporal?.remove();
});

test.each(disturbances)("Temporal $what: work goes on, nothing twice", { timeout: 300_000 }, async (each) => {
  await months.reportUsage(each, { patienceMs: 60_000 });
  const { meanwhile } = each;
  const figures = await months.close(each, { meanwhile, patienceMs: 120_000 });
  expect(figures).toEqual(undisturbed[disturbances.indexOf(each)]);
  await expectInvariants(system.db);
});

/** Waits until so many periods are closed, beyond those of earlier closes. */
async function closings(more: number, before = 0): Promise<void> {
  while ((await closedPeriods(system.db)) < before + more) await delay(2);
}

/**
 * Keeps every period from being closed once it has been begun; answers, when one has, with what lets them. What only closes
 * write is held: a notice too waits for a customer's row, and where only notices wait, no close has begun.
 */
async function holdCloses(): Promise<() => Promise<void>> {
  const holding = openDatabase({ url: system.ownerUrl, poolSize: 1 });
  await holding.sql.unsafe("begin; lock table billing.rating_run in share mode");
  const areHeld = async () => {
    const rows = await system.db.sql`
      select from pg_locks where not granted and relation = 'billing.rating_run'::regclass
        and database = (select oid from pg_database where datname = current_database())`;
    return rows.length > 0;
  };
  while (!(await areHeld())) await delay(5);
  return async () => {
    await holding.sql.unsafe("commit");
    await holding.close();
  };
}
