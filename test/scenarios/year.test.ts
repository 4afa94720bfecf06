import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { randomSecret } from "../../src/sandbox/local-services/secrets.ts";
import { type Dice, diceOf } from "../support/dice.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type Figures, figuresOf } from "../support/system-figures.ts";
import { type SystemOfProcesses, startSystemOfProcesses } from "../support/system-processes.ts";
import { type Records, recordsOf } from "../support/system-records.ts";
import { yearOf } from "./year-plan.ts";
import { type Disturbance, tellYear, type YearAnswers } from "./year-told.ts";

/**
 * The same customers with every kind of change, twice: once undisturbed, and once with the worker killed again and again in
 * the middle of what it does. Both must come to the same, to the byte.
 */
const isNightly = process.env.NIGHTLY === "1";
const seed = Number(process.env.YEAR_SEED ?? 20260101);
const sizes = { customers: isNightly ? 200 : 8, months: isNightly ? 12 : 2 };
const kills = Number(process.env.YEAR_KILLS ?? (isNightly ? 50 : 3));
const steps = yearOf({
  seed,
  customers: Number(process.env.YEAR_CUSTOMERS ?? sizes.customers),
  months: Number(process.env.YEAR_MONTHS ?? sizes.months),
});
const timeout = isNightly ? 2 * 3_600_000 : 300_000;

interface Told {
  readonly answers: YearAnswers;
  readonly figures: Figures;
  readonly records: Records;
}

/** Ids are made from the caller and what it calls its requests: both are asked by the same. */
const options = { concurrency: 8, apiKey: `reckoner_${randomSecret()}` };

let systems: { readonly undisturbed: SystemOfProcesses; readonly disturbed: SystemOfProcesses };
beforeAll(async () => {
  const [undisturbed, disturbed] = await Promise.all([
    startSystemOfProcesses(options),
    startSystemOfProcesses(options),
  ]);
  systems = { undisturbed, disturbed };
}, timeout);
afterAll(() => Promise.all([systems?.undisturbed.stop(), systems?.disturbed.stop()]));

test(`${kills} killings of the worker change nothing (YEAR_SEED=${seed})`, { timeout }, async () => {
  const killing = new Killings(systems.disturbed, steps.length, diceOf(seed + 1));
  // At the same time: while the one waits until somebody is missed, the other goes on.
  const [undisturbed, disturbed] = await Promise.all([
    told(systems.undisturbed),
    told(systems.disturbed, killing),
  ]);
  expect(killing.done).toBe(kills);
  expect(disturbed.answers).toEqual(undisturbed.answers);
  expect(disturbed.figures).toEqual(undisturbed.figures);
  expect(disturbed.records).toEqual(undisturbed.records);
  expect(disturbed.figures.invoices.length).toBeGreaterThan(steps.length / 4);
});

async function told(on: SystemOfProcesses, disturbance?: Disturbance): Promise<Told> {
  const answers = await tellYear(on, steps, disturbance);
  // Credit that has run out of time is ended by the worker's next look, within ten seconds.
  await vi.waitFor(() => expectInvariants(on.db), { timeout: 60_000, interval: 1_000 });
  const figures = await figuresOf(on.db, on.surroundings);
  return { answers, figures, records: await recordsOf(on.db) };
}

/** Kills the worker so many times, spread over the steps, each time when something has just been booked. */
class Killings implements Disturbance {
  done = 0;
  #step = 0;
  readonly #system: SystemOfProcesses;
  readonly #dice: Dice;
  /** At which step each is to happen, or at the first one after it at which anything is booked. */
  readonly #planned: number[];

  constructor(killed: SystemOfProcesses, stepCount: number, dice: Dice) {
    this.#system = killed;
    this.#dice = dice;
    // Those of the last tenth would find nothing left to disturb when they come late.
    const last = Math.floor(stepCount * 0.9);
    this.#planned = Array.from({ length: kills }, () => dice(last)).toSorted((one, other) => one - other);
  }

  async during(_step: unknown, isOver: () => boolean): Promise<void> {
    const now = this.#step++;
    while (this.#planned[this.done] !== undefined && Number(this.#planned[this.done]) <= now) {
      const before = await this.#newestEntry();
      const more = 1 + this.#dice(6);
      while ((await this.#newestEntry()) < before + more) {
        if (isOver()) return;
        await delay(5);
      }
      await delay(this.#dice(60));
      await this.#system.kill("worker");
      await this.#system.start("worker");
      this.done += 1;
    }
  }

  async #newestEntry(): Promise<number> {
    const [row] = await this.#system.db.sql<{ id: number }[]>`
      select coalesce(max(id), 0)::int as id from ledger.journal_entry`;
    return row?.id ?? 0;
  }
}
