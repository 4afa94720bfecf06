import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { type Figures, figuresOf } from "../support/system-figures.ts";
import { type Part, type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";
import { beginStory, createClock, isoTime, type Story } from "../support/system-story.ts";

/**
 * One story told twice: once undisturbed, once with a part of the system killed in the middle of each month's close.
 * Both must come to the same, to the last posting, and nothing twice.
 */
const customers = Array.from({ length: 12 }, (_, index) => ({
  id: `customer-${index + 1}`,
  plan: ["solo", "team", "metered"][index % 3] ?? "solo",
  seats: 1 + index,
  clock: "everybody",
}));

/** For each close: the month's day with usage, when it is closed, and what dies meanwhile. */
const closes: readonly { usedAt: string; closedAt: string; dies: Part }[] = [
  { usedAt: "04-15", closedAt: "05-01 02:00", dies: "worker" },
  { usedAt: "05-15", closedAt: "06-01 02:00", dies: "api" },
  { usedAt: "06-15", closedAt: "07-01 02:00", dies: "postgres" },
];

let undisturbed: Figures[];
let system: SystemOfProcesses;
let stories: Story[];

beforeAll(async () => {
  const reference = await startSystem();
  const told = await begin(reference);
  undisturbed = [];
  for (const { usedAt, closedAt } of closes) {
    await reportUsage(reference, told, usedAt);
    await reference.advance("everybody", isoTime(closedAt));
    undisturbed.push(await figuresOf(reference.db, reference.surroundings));
  }
  await reference.stop();
  system = await startSystemOfProcesses();
  stories = await begin(system);
});
afterAll(() => system.stop());

test.each(closes)(
  "$dies is killed in the middle of the close at $closedAt",
  { timeout: 120_000 },
  async (close) => {
    const index = closes.indexOf(close);
    await reportUsage(system, stories, close.usedAt);
    let closedBefore = 0;
    const meanwhile = async () => {
      closedBefore = await firstClosed(system.db, customers.length * index);
      await system.kill(close.dies);
      await system.start(close.dies);
    };
    await system.advance("everybody", isoTime(close.closedAt), { meanwhile, patienceMs: 100_000 });
    expect(closedBefore).toBeLessThan(customers.length);
    // Two of three plans are charged in advance when they begin.
    expect(undisturbed[index]?.invoices).toHaveLength(8 + 12 * (index + 1));
    expect(await figuresOf(system.db, system.surroundings)).toEqual(undisturbed[index]);
    await expectInvariants(system.db);
  },
);

async function begin(on: System): Promise<Story[]> {
  await on.client.put("/v1/catalog", { body: scenarioCatalog });
  await createClock(on, "everybody");
  return await Promise.all(customers.map((customer) => beginStory(on, customer)));
}

async function reportUsage(on: System, all: readonly Story[], time: string): Promise<void> {
  await on.advance("everybody", isoTime(`${time} 12:00`));
  for (const [index, story] of all.entries()) await story.uses(100 + 37 * index, time);
}

/** Waits until the first periods of a close are closed, and answers how many they are. */
async function firstClosed(db: Database, before: number): Promise<number> {
  for (;;) {
    const [row] = await db.sql<{ runs: number }[]>`select count(*)::int as runs from billing.rating_run`;
    const closed = (row?.runs ?? 0) - before;
    if (closed > 0) return closed;
    await delay(2);
  }
}
