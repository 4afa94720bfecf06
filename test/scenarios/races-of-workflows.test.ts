import { setTimeout as delay } from "node:timers/promises";
import { ScheduleOverlapPolicy } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addDuration, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { ensureSchedules } from "../../src/workers/schedules.ts";
import { paymentStanding, standing, workflowIds } from "../../src/workflows/messages.ts";
import { type Dice, diceOf, seedsOf } from "../support/dice.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory, isoTime, type Story } from "../support/system-story.ts";

/** What races a run of Temporal's, on the whole system, at generated instants of its work. */
const isNightly = process.env.NIGHTLY === "1";
/** By each seed. */
const times = isNightly ? 7 : 1;
const seeds = seedsOf("RACES_SEED", [5, 31, 2_412]);

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system?.stop());

type Doing = (story: Story) => Promise<{ readonly effective_at: string; readonly invoice: string | null }>;

/** At these the period's end, its close, or neither is under way. */
const changes: Readonly<Record<string, (dice: Dice) => Doing>> = {
  "more seats": (dice) => {
    const seats = 4 + dice(6);
    return (story) => story.changeSeats(seats);
  },
  "another plan": () => (story) => story.changePlan("solo", 1),
  "a pause": () => (story) => story.pause(),
};

/** Every time of every seed. */
function* turns(): Generator<{ readonly dice: Dice; readonly turn: string }> {
  for (const seed of seeds) {
    const dice = diceOf(seed);
    for (let time = 0; time < times; time++) yield { dice, turn: `${seed}-${time}` };
  }
}

test.each(Object.keys(changes))(
  "%s at the boundary lands before or after it, as if time had stood still",
  {
    timeout: 900_000,
  },
  async (name) => {
    for (const { dice, turn } of turns()) {
      const doing = (changes[name] as (dice: Dice) => Doing)(dice);
      const id = `${name.replaceAll(" ", "-")}-${turn}`;
      const raced = await beginStory(system, { id, plan: "team", seats: 3 });
      await raced.until("04-30");
      let answer: Awaited<ReturnType<Doing>> | undefined;
      const wait = dice(400);
      const meanwhile = async () => {
        await delay(wait);
        answer = await doing(raced);
      };
      await system.advance(id, isoTime("05-02"), { meanwhile });
      // Another customer, who does the same at the same instant while the clock stands still.
      const twin = await beginStory(system, { id: `${id}-twin`, plan: "team", seats: 3 });
      await system.advance(`${id}-twin`, answer?.effective_at ?? "");
      await doing(twin);
      await twin.until("05-02");
      expect(await linesOf(raced), `race of RACES_SEED ${turn}: ${answer?.effective_at}`).toEqual(
        await linesOf(twin),
      );
      expect(await raced.status()).toBe(await twin.status());
    }
    await expectInvariants(system.db);
  },
);

/**
 * All lines, whichever invoice they are on; those of a change are on one. A change of the instant at which a period begins
 * comes a millisecond after that, as long as the period is not charged.
 */
async function linesOf(story: Story): Promise<string[]> {
  const invoices = await story.invoices();
  const isOfChange = ({ kind }: { readonly kind: string }) => kind.startsWith("proration");
  expect(invoices.filter(({ lines }) => lines.some(isOfChange)).length).toBeLessThanOrEqual(1);
  return invoices
    .flatMap(({ lines }) =>
      lines.map(
        ({ kind, amount_minor: amount, period_start: start, period_end: end }) =>
          `${kind} ${amount} ${start?.slice(0, 19)} ${end?.slice(0, 19)}`,
      ),
    )
    .toSorted();
}

test("canceled in the middle of its dunning, nobody pays twice and nothing is left undone", {
  timeout: 600_000,
}, async () => {
  for (const { dice, turn } of turns()) {
    const id = `dunned-${turn}`;
    const story = await beginStory(system, { id, plan: "solo" });
    await story.until("04-02");
    await story.declines(
      story.paymentMethod,
      Array.from({ length: dice(5) }, () => "insufficient_funds"),
    );
    const wait = dice(900);
    const meanwhile = async () => {
      await delay(wait);
      // Dunning may have ended it first.
      const refused = await story.cancel("now").catch((error: { code?: string }) => error.code);
      if (typeof refused === "string") expect(refused).toMatch(/^(subscription_canceled|workflow_ended)$/);
    };
    await system.advance(id, isoTime("05-20"), { meanwhile });
    expect(await story.status()).toBe("canceled");
    const { charges } = await system.surroundings.account.control<{
      charges: { status: string; amount: number }[];
    }>("dump");
    const paid = await system.db.sql`select from billing.payment`;
    expect(charges.filter(({ status }) => status === "succeeded")).toHaveLength(paid.length);
  }
  await expectInvariants(system.db);
});

test("a flood of signals while it continues as new: none is lost, none is heard twice", {
  timeout: 600_000,
}, async () => {
  const story = await beginStory(system, { id: "flooded", plan: "solo" });
  const run = system.surroundings.temporalClient.workflow.getHandle(workflowIds.subscription("flooded"));
  const waves = isNightly ? 150 : 8;
  let isOver = false;
  const flood = async () => {
    for (let wave = 0; wave < waves || !isOver; wave++) {
      const some = Array.from({ length: 25 }, (_, nth) =>
        run.signal(paymentStanding, { pastDue: nth % 2 === 0 }),
      );
      await Promise.all(some);
      // A run that has heard a wave is ready for the next: more than it can hear in seconds would be no flood, but an end.
      await run.query(standing);
      await delay(wave < waves ? 0 : 200);
    }
  };
  const flooding = flood();
  for (const month of ["05", "06", "07", "08"]) {
    await system.advance("flooded", isoTime(`${month}-01 02:00`), { patienceMs: 60_000 });
    await story.changeSeats(Number(month));
  }
  isOver = true;
  await flooding;
  await run.signal(paymentStanding, { pastDue: false });
  expect(await run.query(standing)).toMatchObject({ status: "active", periodIndex: 4 });
  await story.until("08-03");
  expect((await story.invoices()).filter(({ kind }) => kind === "cycle")).toHaveLength(4);
  await expectInvariants(system.db);
});

test("the Schedule of the cycle close fires twice, and a third sweep comes beside it: every period is closed once", {
  timeout: 600_000,
}, async () => {
  const paged = await startSystem({ closing: { by: "paged", windowSeconds: 0 } });
  const { client, surroundings, db } = paged;
  await client.put("/v1/catalog", { body: scenarioCatalog });
  const startAt = isoOf(addDuration(instantOfEpochMs(Date.now()), { days: -100 }, "UTC"));
  const ids = Array.from({ length: 8 }, (_, nth) => `swept-${nth}`);
  for (const [nth, id] of ids.entries()) {
    const body = { id, name: id, email: `${id}@example.com`, currency: "usd" };
    await client.post("/v1/customers", { body });
    await client.post("/v1/customers/{id}/payment-methods", {
      params: { path: { id } },
      body: { token: "pm_card_visa" },
    });
    const items = [{ plan: nth % 2 === 0 ? "solo" : "team", seats: 3 }];
    await client.post("/v1/subscriptions", { body: { id, customer: id, items, start_at: startAt } });
  }
  const { temporalClient, temporal } = surroundings;
  await ensureSchedules(temporalClient, { taskQueue: temporal.taskQueue, lanes: 2 });
  const schedule = temporalClient.schedule.getHandle(workflowIds.cycleClose);
  const closed = async () => {
    const [row] = await db.sql<{ periods: number; latest: number }[]>`
      select (select count(*)::int from billing.rating_run) as periods,
        (extract(epoch from min(billed_through)) * 1000)::float8 as latest
      from billing.subscription`;
    return row;
  };
  // A sweep closes one period of each subscription; three months are due.
  const month = 31 * 86_400_000;
  for (let sweep = 0; Number((await closed())?.latest) < Date.now() - month; sweep++) {
    expect(sweep).toBeLessThan(20);
    await Promise.all([
      schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL),
      schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL),
      temporalClient.workflow.execute("cycleClose", {
        workflowId: `sweep-${sweep}`,
        taskQueue: temporal.taskQueue,
        args: [{ lanes: 2 }],
      }),
    ]);
  }
  const twice = await db.sql`
    select subscription_id, period_start from billing.invoice where kind = 'cycle'
    group by subscription_id, period_start having count(*) > 1`;
  expect(twice).toEqual([]);
  expect((await closed())?.periods).toBe(3 * ids.length);
  await expectInvariants(db);
  await paged.stop();
});
