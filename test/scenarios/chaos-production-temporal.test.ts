import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import {
  closedPeriods,
  type MonthlyClose,
  MonthlyCloses,
  undisturbedCloses,
} from "../support/monthly-closes.ts";
import {
  hasProductionTemporal,
  openProductionTemporal,
  type ProductionTemporal,
} from "../support/production-temporal.ts";
import type { Figures } from "../support/system-figures.ts";
import { type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";

/**
 * The production server of Temporal loses its PostgreSQL in the middle of closes. What comes of it is what comes of the same
 * story undisturbed, and nothing twice. By night, where the server is: minutes of its start are worth no day's run.
 */
const isNightly = process.env.NIGHTLY === "1";
const customers = 6;
/** Longer than anything waits for an answer. */
const awayMs = 15_000;

let undisturbed: Figures[];
let temporal: ProductionTemporal;
let system: SystemOfProcesses;
let months: MonthlyCloses;

interface Disturbance extends MonthlyClose {
  readonly what: string;
  readonly meanwhile: () => Promise<void>;
}

const disturbances: readonly Disturbance[] = [
  {
    what: "loses every connection, again and again",
    usedAt: "04-15",
    closedAt: "05-01 02:00",
    meanwhile: async () => {
      let cut = 0;
      for (let time = 0; time < 20; time++) {
        cut += await temporal.cutConnections();
        await delay(200);
      }
      expect(cut).toBeGreaterThan(20);
    },
  },
  {
    what: "is locked out",
    usedAt: "05-15",
    closedAt: "06-01 02:00",
    meanwhile: async () => {
      const letIn = await temporal.lockOut();
      await delay(awayMs);
      await letIn();
    },
  },
  {
    what: "finds it killed, and started again on its disk",
    usedAt: "06-15",
    closedAt: "07-01 02:00",
    meanwhile: async () => {
      await temporal.killDatabase();
      await delay(awayMs / 3);
      await temporal.restartDatabase();
    },
  },
];

describe.skipIf(!isNightly || !hasProductionTemporal)("in mid-cycle Temporal's PostgreSQL", () => {
  beforeAll(async () => {
    undisturbed = await undisturbedCloses(disturbances, customers);
    temporal = await openProductionTemporal();
    const { address: temporalAddress, namespace: temporalNamespace } = temporal;
    system = await startSystemOfProcesses({ temporalAddress, temporalNamespace });
    months = await MonthlyCloses.begin(system, customers);
  });
  afterAll(async () => {
    await system?.stop();
    await temporal?.remove();
  });

  test.each(disturbances)("$what: work goes on, nothing twice", { timeout: 400_000 }, async (each) => {
    const before = customers * disturbances.indexOf(each);
    await months.reportUsage(each, { patienceMs: 60_000 });
    let closedBefore = 0;
    const meanwhile = async () => {
      while ((await closedPeriods(system.db)) <= before) await delay(2);
      closedBefore = (await closedPeriods(system.db)) - before;
      await each.meanwhile();
    };
    const figures = await months.close(each, { meanwhile, patienceMs: 180_000 });
    expect(closedBefore).toBeLessThan(customers);
    expect(figures).toEqual(undisturbed[disturbances.indexOf(each)]);
    await expectInvariants(system.db);
  });
});
