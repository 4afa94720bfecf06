import type { Database } from "../../src/db/database.ts";
import { type System, startSystem } from "./system.ts";
import { scenarioCatalog } from "./system-catalog.ts";
import type { AdvanceOptions } from "./system-clock.ts";
import { type Figures, figuresOf } from "./system-figures.ts";
import { beginStory, createClock, isoTime, type Story } from "./system-story.ts";

/** A month's day with usage, and when the month is closed. */
export interface MonthlyClose {
  readonly usedAt: string;
  readonly closedAt: string;
}

const clock = "everybody";

/** Some customers on one clock, on plans in turn, who use something every month: told on any system, it comes to the same. */
export class MonthlyCloses {
  readonly customers: number;
  readonly #stories: readonly Story[];
  readonly #system: System;

  private constructor(system: System, stories: readonly Story[]) {
    this.#system = system;
    this.#stories = stories;
    this.customers = stories.length;
  }

  static async begin(system: System, customers: number): Promise<MonthlyCloses> {
    await system.client.put("/v1/catalog", { body: scenarioCatalog });
    await createClock(system, clock);
    const beginning = Array.from({ length: customers }, (_, index) => {
      const plan = ["solo", "team", "metered"][index % 3] ?? "solo";
      return beginStory(system, { id: `customer-${index + 1}`, plan, seats: 1 + index, clock });
    });
    return new MonthlyCloses(system, await Promise.all(beginning));
  }

  async reportUsage({ usedAt }: MonthlyClose, options?: AdvanceOptions): Promise<void> {
    await this.#system.advance(clock, isoTime(`${usedAt} 12:00`), options);
    for (const [index, story] of this.#stories.entries()) await story.uses(100 + 37 * index, usedAt);
  }

  /** Answers with what everything has come to by then. */
  async close({ closedAt }: MonthlyClose, options?: AdvanceOptions): Promise<Figures> {
    await this.#system.advance(clock, isoTime(closedAt), options);
    return await figuresOf(this.#system.db, this.#system.surroundings);
  }
}

/** What it comes to, after each close, where nothing happens to the system. */
export async function undisturbedCloses(
  closes: readonly MonthlyClose[],
  customers: number,
): Promise<Figures[]> {
  const system = await startSystem();
  const told = await MonthlyCloses.begin(system, customers);
  const figures: Figures[] = [];
  for (const each of closes) {
    await told.reportUsage(each);
    figures.push(await told.close(each));
  }
  await system.stop();
  return figures;
}

/** How many periods have been closed. */
export async function closedPeriods({ sql }: Database): Promise<number> {
  const [row] = await sql<{ runs: number }[]>`select count(*)::int as runs from billing.rating_run`;
  return row?.runs ?? 0;
}
