import { alertsInForce, openCrossings, type StoredAlert, writeTurn } from "../db/alerts/alerts.ts";
import { changedBudgets, lockBudgets, noteLookAt } from "../db/alerts/budget-looks.ts";
import { budgetReadings } from "../db/alerts/budget-readings.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { testClockOf } from "../db/billing/test-clocks.ts";
import { findTopUpRule, type StoredTopUp, stopTopUpRule, topUpsOf } from "../db/billing/top-ups.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { entitlementFacts } from "../db/entitlements/entitlement-facts.ts";
import { spendingReader } from "../db/entitlements/spending.ts";
import type { Snapshot } from "../db/usage/usage-reads.ts";
import { type BudgetReading, lookAgainAt, turnOf } from "../domain/alerts/index.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { WorkflowRefusal } from "../temporal/workflow-refusal.ts";
import { beginTopUp } from "./begin-top-up.ts";
import type { ActivityDependencies } from "./dependencies.ts";

type Dependencies = Pick<ActivityDependencies, "db" | "gateway">;

export interface BudgetLook {
  /** Customers who were looked at. */
  readonly lookedAt: number;
  /** Purchases of credit that were begun. */
  readonly begun: number;
  /** Crossings that alerts have told. */
  readonly told: number;
  /** Whether the pass goes on: another page is to be looked at. */
  readonly hasMore: boolean;
  /** The first of what went wrong: it held up nothing else. */
  readonly failure: unknown;
}

interface Pass {
  readonly customers: readonly string[];
  readonly snapshot: Snapshot;
  at: number;
  hasFailed: boolean;
}

/**
 * Looks at the customers who have alerts or buy credit by themselves, pass by pass: at first at all, then at those of whom something
 * has changed since the pass before saw it, or whom time may have changed. What failed is looked at again. Any number of workers may
 * do it, each by itself: each customer is looked at by one at a time, and who comes second finds nothing to do.
 */
export class BudgetPasses {
  readonly #deps: Dependencies;
  readonly #limit: number;
  #seen: Snapshot | null = null;
  #pass: Pass | null = null;

  /** @param limit of customers in a page */
  constructor(deps: Dependencies, limit = 100) {
    this.#deps = deps;
    this.#limit = limit;
  }

  /** The next pass is at all customers, as the first was. */
  forget(): void {
    this.#seen = null;
    this.#pass = null;
  }

  /** Looks at a page. @param wall the time of who has no test clock */
  async next(wall: Instant): Promise<BudgetLook> {
    const found = this.#pass ?? {
      ...(await changedBudgets(this.#deps.db.orm, this.#seen, wall)),
      at: 0,
      hasFailed: false,
    };
    this.#pass = found;
    const page = found.customers.slice(found.at, found.at + this.#limit);
    const failures: unknown[] = [];
    let [begun, told] = [0, 0];
    for (const customerId of page) {
      try {
        const look = await lookAtBudgets(this.#deps, customerId, wall);
        begun += look.hasBegun ? 1 : 0;
        told += look.told;
      } catch (error) {
        failures.push(error);
      }
    }
    found.at += page.length;
    found.hasFailed ||= failures.length > 0;
    const hasMore = found.at < found.customers.length;
    if (!hasMore) {
      if (!found.hasFailed) this.#seen = found.snapshot;
      this.#pass = null;
    }
    return { lookedAt: page.length, begun, told, hasMore, failure: failures[0] };
  }
}

/** Looks at a customer: tells what alerts have to tell, and has credit bought where a rule wants it. */
export async function lookAtBudgets(
  deps: Dependencies,
  customerId: string,
  wall: Instant,
): Promise<{ readonly hasBegun: boolean; readonly told: number }> {
  const { db } = deps;
  const looked = await inTransaction(db, async (tx) => {
    await lockBudgets(tx, customerId);
    // Before the lock: reading may open a window, which refers to the customer, in a transaction of its own.
    const read = await readAlerts(db, customerId, wall);
    await lockCustomer(tx, customerId);
    const told = await tellAlerts(tx, customerId, read);
    const bought = await beginTopUp(db, tx, customerId, wall);
    const waiting = await withoutInvoice(tx, customerId);
    // Whoever looks next finds what a worker has begun and not handed on.
    const instants = [told.lookAt, bought.lookAt, waiting[0]?.begunAt ?? null].filter((at) => at !== null);
    const lookAt = instants.length === 0 ? null : instantOfEpochMs(Math.min(...instants));
    await noteLookAt(tx, customerId, lookAt);
    return { hasBegun: bought.hasBegun, told: told.told, waiting };
  });
  for (const bought of looked.waiting) await haveInvoiced(deps, bought);
  return looked;
}

type ReadAlert = StoredAlert & { readonly readings: readonly BudgetReading[] };

async function readAlerts(
  db: Database,
  customerId: string,
  wall: Instant,
): Promise<{ readonly alerts: readonly ReadAlert[]; readonly now: Instant }> {
  return await inSnapshot(db, async (tx) => {
    const stored = await alertsInForce(tx, customerId);
    if (stored.length === 0) return { alerts: [], now: wall };
    const facts = await entitlementFacts(db, tx, customerId, wall);
    invariant(facts !== undefined, "an alert is of a customer");
    const frame = { db, tx, facts, spending: spendingReader(tx, facts) };
    const alerts: ReadAlert[] = [];
    for (const each of stored) {
      alerts.push({ ...each, readings: await budgetReadings(frame, each.subject) });
    }
    return { alerts, now: facts.now };
  });
}

async function tellAlerts(
  tx: Tx,
  customerId: string,
  { alerts, now }: { readonly alerts: readonly ReadAlert[]; readonly now: Instant },
): Promise<{ readonly told: number; readonly lookAt: Instant | null }> {
  if (alerts.length === 0) return { told: 0, lookAt: null };
  const open = await openCrossings(tx, customerId);
  let told = 0;
  const instants: number[] = [];
  for (const alert of alerts) {
    const before = open.get(alert.id) ?? [];
    const turn = turnOf(alert.condition, alert.readings, before, now);
    await writeTurn(tx, alert, turn, now);
    told += turn.crossed.length;
    const over = new Set(turn.recovered.map(({ number }) => number));
    const keys = [...before.filter(({ number }) => !over.has(number)), ...turn.crossed].map(({ key }) => key);
    const waiting = alert.readings.filter(({ key }) => keys.includes(key));
    instants.push(...waiting.flatMap((reading) => lookAgainAt(alert, reading, now) ?? []));
  }
  return { told, lookAt: instants.length === 0 ? null : instantOfEpochMs(Math.min(...instants)) };
}

/** What was begun, and its run has not issued its invoice yet. */
async function withoutInvoice(tx: Tx, customerId: string): Promise<StoredTopUp[]> {
  const begun = (await topUpsOf(tx, customerId)).filter(({ isInvoiced }) => !isInvoiced);
  const waiting: StoredTopUp[] = [];
  for (const bought of begun) {
    const rule = await findTopUpRule(tx, bought.ruleId);
    if (rule?.end?.cause !== "refused") waiting.push(bought);
  }
  return waiting;
}

/** Has the invoice of a purchase issued and collected by its own run; done twice, it is done once. */
async function haveInvoiced({ db, gateway }: Dependencies, bought: StoredTopUp): Promise<void> {
  const { customerId, grantId, ruleId, begunAt } = bought;
  const clock = await testClockOf(db.orm, customerId);
  const reading = clock === undefined ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
  try {
    await gateway.purchaseCredits({ grantId, customerId, clock: reading }, isoOf(begunAt));
  } catch (error) {
    if (!(error instanceof WorkflowRefusal)) throw error;
    await inTransaction(db, async (tx) => {
      await lockCustomer(tx, customerId);
      // Its run may have issued it for somebody else who asked at the same time.
      const isWaiting = (await withoutInvoice(tx, customerId)).some((each) => each.grantId === grantId);
      if (!isWaiting) return;
      const end = { cause: "refused" as const, detail: error.code, at: begunAt };
      await stopTopUpRule(tx, { id: ruleId, customerId }, end);
    });
  }
}
