import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityDependencies } from "../../src/activities/index.ts";
import { cycleActivities } from "../../src/activities/index.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { BillingCycleInput, ClosingPolicy } from "../../src/workflows/messages.ts";
import {
  addVariedCustomers,
  dueAt,
  periodEnd,
  periodStart,
  publishPlans,
  subscriptionOf,
} from "../activities/due-customers.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import type { Scene } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

/** The same customers in two databases: one is closed by a `billingCycle` for each period, the other in pages. */
let scene: Scene;
let databases: TestDatabase[];
let byWorkflow: Database;
let byPages: Database;
let customers: string[] = [];
beforeAll(async () => {
  databases = [await cloneDatabase(), await cloneDatabase()];
  [byWorkflow, byPages] = databases.map(({ appUrl }) => openDatabase({ url: appUrl, poolSize: 6 })) as [
    Database,
    Database,
  ];
  for (const db of [byWorkflow, byPages]) {
    await publishPlans(db);
    customers = await addVariedCustomers(db, 16);
  }
  scene = await sharedScene();
}, 120_000);
afterAll(async () => {
  await scene.close();
  await Promise.all([byWorkflow.close(), byPages.close()]);
  for (const database of databases) await database.drop();
});

/** Has the workflows' activities do on a database what a deployment's would, at the instant at which everything is due. */
function closeOn(db: Database, by: ClosingPolicy["by"]): void {
  const deps = { db, gateway: scene.gateway, now: () => instant(dueAt) } as unknown as ActivityDependencies;
  const closing = { by, windowSeconds: 0 };
  // Each runs inside a stand-in of the same name, whose context is theirs.
  const real = cycleActivities(deps, { closing, closesAtOnce: 3, usageWaitMsMax: 0 });
  scene.standIns.on("closePeriod", real.closePeriod);
  scene.standIns.on("closeDuePage", real.closeDuePage);
}

test("a cycle each and pages come to the same invoices, lines and entries, to the byte", async () => {
  closeOn(byWorkflow, "workflow");
  const clock = await scene.startClock(dueAt);
  scene.standIns.on("payInvoice", async ({ invoiceId }) => {
    await scene.paymentBooked(invoiceId, clock);
    return { status: "paid" };
  });
  const cycles = customers.map((customerId): BillingCycleInput => {
    const subscriptionId = subscriptionOf(customerId);
    const period = { periodStart, periodEnd, graceSeconds: 3_600 };
    return { subscriptionId, customerId, ...period, clock: clock.reading() };
  });
  for (const cycle of cycles) await scene.gateway.startBillingCycle(cycle);
  await clock.advance(dueAt);
  const closedByCycles = scene.standIns.asked("closePeriod");
  expect(new Set(closedByCycles.map(({ at }) => at))).toEqual(new Set([dueAt]));

  closeOn(byPages, "paged");
  const closed = await scene.client.workflow.execute("cycleClose", {
    workflowId: scene.id("cycle-close"),
    taskQueue: scene.taskQueue,
    args: [{ lanes: 3, pageSize: 6 }],
  });
  expect(closed).toBe(customers.length);
  expect(scene.standIns.asked("closePeriod")).toHaveLength(closedByCycles.length);

  const [one, other] = [await everything(byWorkflow), await everything(byPages)];
  expect(one.invoices.filter((invoice) => invoice.includes('"kind": "cycle"'))).toHaveLength(
    customers.length,
  );
  expect(one.draws.length).toBeGreaterThan(0);
  expect(one.entries.length).toBeGreaterThan(2 * customers.length);
  expect(other).toEqual(one);
  for (const db of [byWorkflow, byPages]) await expectInvariants(db, { limits: { billing: 1e9 } });
}, 60_000);

/** Every row that a close writes, without what says when and in which order rows were written. */
async function everything({ sql }: Database) {
  const texts = async (query: Promise<readonly { text: string }[]>) => (await query).map(({ text }) => text);
  return {
    invoices: await texts(sql`select to_jsonb(invoice)::text as text from billing.invoice order by id`),
    lines: await texts(
      sql`select to_jsonb(line)::text as text from billing.invoice_line as line order by invoice_id, line`,
    ),
    facts: await texts(sql`
      select (to_jsonb(kept) #- '{facts,known,snapshot}')::text as text from billing.invoice_facts as kept
      order by invoice_id`),
    draws: await texts(sql`select to_jsonb(draw)::text as text from billing.credit_draw as draw order by 1`),
    runs: await texts(sql`
      select (to_jsonb(run) - '{snapshot,recorded_xid}'::text[])::text as text from billing.rating_run as run
      order by subscription_id, period_start, revision`),
    subscriptions: await texts(
      sql`select to_jsonb(row)::text as text from billing.subscription as row order by id`,
    ),
    entries: await texts(sql`
      select (to_jsonb(entry) - '{id,recorded_at,recorded_xid}'::text[])::text as text
      from ledger.journal_entry as entry order by source_key`),
    postings: await texts(sql`
      select jsonb_build_array(entry.source_key, line, debit.key, credit.key, amount, posting.currency)::text as text
      from ledger.posting
      join ledger.journal_entry as entry on entry.id = entry_id
      join ledger.account as debit on debit.id = debit_account
      join ledger.account as credit on credit.id = credit_account
      order by entry.source_key, line`),
  };
}
