import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type KillableTemporal, openKillableTemporal } from "../support/killable-temporal.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { type Figures, figuresOf } from "../support/system-figures.ts";
import { type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";
import { beginStory, createClock, isoTime, type Story } from "../support/system-story.ts";

/**
 * Temporal is taken away in the middle of closes: killed and started again on its file, between what an activity commits and
 * what it says, or kept from its database. What comes of it is what comes of the same story undisturbed, and nothing twice.
 */
const isNightly = process.env.NIGHTLY === "1";
const customers = Array.from({ length: 6 }, (_, index) => ({
  id: `customer-${index + 1}`,
  plan: ["solo", "team", "metered"][index % 3] ?? "solo",
  seats: 1 + index,
  clock: "everybody",
}));

/** Longer than anything waits for an answer, so that whoever has no news of it is given up. */
const awayMs = 15_000;

interface Disturbance {
  readonly what: string;
  readonly usedAt: string;
  readonly closedAt: string;
  readonly meanwhile: () => Promise<void>;
}

let undisturbed: Figures[];
let temporal: KillableTemporal;
let system: SystemOfProcesses;
let stories: Story[];

const disturbances: readonly Disturbance[] = [
  {
    what: "is killed before what activities do is committed, and is there again after they said so to nobody",
    usedAt: "04-15",
    closedAt: "05-01 02:00",
    meanwhile: async () => {
      const letGo = await holdCustomers();
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
        await closings(more, customers.length);
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
      await closings(1, 2 * customers.length);
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
      await closings(1, 3 * customers.length);
      temporal.suspend();
      await delay(awayMs);
      temporal.resume();
    },
  },
].slice(0, isNightly ? undefined : 1);

beforeAll(async () => {
  const reference = await startSystem();
  const told = await begin(reference);
  undisturbed = [];
  for (const { usedAt, closedAt } of disturbances) {
    await reportUsage(reference, told, usedAt);
    await reference.advance("everybody", isoTime(closedAt));
    undisturbed.push(await figuresOf(reference.db, reference.surroundings));
  }
  await reference.stop();
  temporal = await openKillableTemporal();
  system = await startSystemOfProcesses({ temporalAddress: temporal.address });
  stories = await begin(system);
});
afterAll(async () => {
  await system?.stop();
  await temporal?.remove();
});

test.each(disturbances)("Temporal $what: work goes on, nothing twice", { timeout: 300_000 }, async (each) => {
  await reportUsage(system, stories, each.usedAt);
  const { meanwhile } = each;
  await system.advance("everybody", isoTime(each.closedAt), { meanwhile, patienceMs: 120_000 });
  expect(await figuresOf(system.db, system.surroundings)).toEqual(undisturbed[disturbances.indexOf(each)]);
  await expectInvariants(system.db);
});

async function begin(on: System): Promise<Story[]> {
  await on.client.put("/v1/catalog", { body: scenarioCatalog });
  await createClock(on, "everybody");
  return await Promise.all(customers.map((customer) => beginStory(on, customer)));
}

async function reportUsage(on: System, all: readonly Story[], time: string): Promise<void> {
  await on.advance("everybody", isoTime(`${time} 12:00`), { patienceMs: 60_000 });
  for (const [index, story] of all.entries()) await story.uses(100 + 37 * index, time);
}

/** Waits until so many periods are closed, beyond those of earlier closes. */
async function closings(more: number, before = 0): Promise<void> {
  for (;;) {
    const [row] = await system.db.sql<{ runs: number }[]>`
      select count(*)::int as runs from billing.rating_run`;
    if ((row?.runs ?? 0) >= before + more) return;
    await delay(2);
  }
}

/** Keeps every period from being closed once it has been begun; answers, when some have, with what lets them. */
async function holdCustomers(): Promise<() => Promise<void>> {
  const holding = openDatabase({ url: system.appUrl, poolSize: 1 });
  await holding.sql.unsafe("begin; select from billing.customer for update");
  const waiting = async () => {
    const [row] = await system.db.sql<{ count: number }[]>`
      select count(*)::int as count from pg_locks where not granted`;
    return row?.count ?? 0;
  };
  while ((await waiting()) === 0) await delay(5);
  return async () => {
    await holding.sql.unsafe("commit");
    await holding.close();
  };
}
