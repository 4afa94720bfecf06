import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityDependencies } from "../../src/activities/index.ts";
import { cycleActivities, stripeActivities } from "../../src/activities/index.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import type { BillingCycleInput, ClosingPolicy, DunningInput } from "../../src/workflows/messages.ts";
import {
  addConsolidatedCustomers,
  addVariedCustomers,
  dueAt,
  periodEnd,
  periodStart,
  publishPlans,
  subscriptionOf,
  subscriptionsOf,
} from "../activities/due-customers.ts";
import {
  giveCard,
  openAccount,
  type StripeAccount,
  standing,
  withoutStripeIds,
} from "../activities/paying-customers.ts";
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
const accounts = new Map<Database, StripeAccount>();
/** Each has three subscriptions on one invoice. */
let together: string[] = [];
beforeAll(async () => {
  databases = [await cloneDatabase(), await cloneDatabase()];
  [byWorkflow, byPages] = databases.map(({ appUrl }) => openDatabase({ url: appUrl, poolSize: 6 })) as [
    Database,
    Database,
  ];
  for (const db of [byWorkflow, byPages]) {
    await publishPlans(db);
    customers = await addVariedCustomers(db, 16);
    together = await addConsolidatedCustomers(db, 4);
    accounts.set(db, await openAccount(db));
    await Promise.all(customers.map((customer, number) => giveCard(depsOf(db), customer, cardOf(number))));
    await Promise.all(together.map((customer) => giveCard(depsOf(db), customer, cardOf(0))));
    // What the activations came to is not what is compared.
    await db.sql`update billing.invoice set collected_by = 'test' where kind = 'activation'`;
  }
  scene = await sharedScene();
}, 120_000);
afterAll(async () => {
  await scene.close();
  for (const { sandbox } of accounts.values()) await sandbox.close();
  await Promise.all([byWorkflow.close(), byPages.close()]);
  for (const database of databases) await database.drop();
});

/** Most can be charged; of the others one is declined for now, one for good, and one has to be confirmed by its owner. */
const cardOf = (number: number) =>
  ({ 3: "pm_card_chargeCustomerFail", 7: "pm_card_authenticationRequired" })[number] ?? "pm_card_visa";

function depsOf(db: Database): ActivityDependencies {
  const { rail } = accounts.get(db) ?? {};
  const gateway = { startDunning, startCollection: () => Promise.reject(new Error("each is collected")) };
  return { db, rail, gateway, now: standing(dueAt) } as unknown as ActivityDependencies;
}

/** Has the workflows' activities do on a database what a deployment's would, at the instant at which everything is due. */
function closeOn(db: Database, by: ClosingPolicy["by"]): void {
  const deps = depsOf(db);
  const closing = { by, windowSeconds: 0 };
  // Each runs inside a stand-in of the same name, whose context is theirs.
  const cycles = cycleActivities(deps, { closing, closesAtOnce: 3, usageWaitMsMax: 0 });
  scene.standIns.on("closePeriod", cycles.closePeriod);
  scene.standIns.on("closeDuePage", cycles.closeDuePage);
  const charges = stripeActivities(deps, { closing, invoicesPerSecond: 1_000 });
  scene.standIns.on("collectInvoice", charges.collectInvoice);
  scene.standIns.on("collectDuePage", charges.collectDuePage);
  scene.standIns.on("startDunning", startDunning);
}

/** Of a dunning it is only seen that it would begin, and with what. */
const dunnings: unknown[] = [];
const startDunning = async ({ clock: _, ...input }: DunningInput) => void dunnings.push(input);
const begun = () =>
  dunnings.splice(0).sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));

test("a cycle each and pages come to the same invoices, lines, entries, charges and payments, to the byte", async () => {
  closeOn(byWorkflow, "workflow");
  const clock = await scene.startClock(dueAt);
  const owners = new Map([
    ...customers.map((customerId): [string, string] => [subscriptionOf(customerId), customerId]),
    ...together.flatMap((customerId) =>
      subscriptionsOf(customerId).map((id): [string, string] => [id, customerId]),
    ),
  ]);
  const cycles = [...owners].map(([subscriptionId, customerId]): BillingCycleInput => {
    const period = { periodStart, periodEnd, graceSeconds: 3_600 };
    return { subscriptionId, customerId, ...period, clock: clock.reading() };
  });
  for (const cycle of cycles) await scene.gateway.startBillingCycle(cycle);
  await clock.advance(dueAt);
  const closedByCycles = scene.standIns.asked("closePeriod");
  expect(new Set(closedByCycles.map(({ at }) => at))).toEqual(new Set([dueAt]));

  const dunningsByCycles = begun();

  closeOn(byPages, "paged");
  const closed = await scene.client.workflow.execute("cycleClose", {
    workflowId: scene.id("cycle-close"),
    taskQueue: scene.taskQueue,
    args: [{ lanes: 3, pageSize: 6 }],
  });
  expect(closed).toBe(cycles.length);
  expect(scene.standIns.asked("closePeriod")).toHaveLength(closedByCycles.length);

  expect(dunningsByCycles).toHaveLength(2);
  expect(begun()).toEqual(dunningsByCycles);

  const [one, other] = [await everything(byWorkflow), await everything(byPages)];
  expect(one.invoices.filter((invoice) => invoice.includes('"kind": "cycle"'))).toHaveLength(
    customers.length + together.length,
  );
  expect(one.parts.filter((part) => part.includes('"part": 3'))).toHaveLength(together.length);
  expect(one.draws.length).toBeGreaterThan(0);
  expect(one.entries.length).toBeGreaterThan(2 * customers.length);
  expect(one.payments).toHaveLength(one.attempts.length - 2);
  expect(other).toEqual(one);
  for (const db of [byWorkflow, byPages]) await expectInvariants(db, { limits: { billing: 1e9 } });
}, 60_000);

/** Every row that a close writes, without what says when and in which order rows were written. */
async function everything({ sql }: Database) {
  const texts = async (query: Promise<readonly { text: string }[]>) =>
    withoutStripeIds((await query).map(({ text }) => text));
  return {
    // Which run collects it is what differs; where Stripe shows it has an id of its own.
    invoices: await texts(
      sql`select (to_jsonb(invoice) - '{collected_by,hosted_invoice_url}'::text[])::text as text from billing.invoice`,
    ),
    attempts: await texts(sql`select to_jsonb(each)::text as text from billing.payment_attempt as each`),
    payments: await texts(sql`select to_jsonb(each)::text as text from billing.payment as each`),
    lines: await texts(
      sql`select to_jsonb(line)::text as text from billing.invoice_line as line order by invoice_id, line`,
    ),
    parts: await texts(sql`
      select (to_jsonb(kept) #- '{facts,known,snapshot}')::text as text from billing.invoice_part as kept
      order by invoice_id, kept.part`),
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
