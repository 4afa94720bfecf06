import { afterAll, beforeAll, expect, test } from "vitest";
import { closeDuePage } from "../../src/activities/close-due-page.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { inTransaction } from "../../src/db/database.ts";
import { noteHeartbeat } from "../../src/db/usage/watermarks.ts";
import { instant, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { addCustomer, openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { meteredCatalog } from "./metered-plan.ts";
import { pageOptions } from "./page-options.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
  await inTransaction(fixture.db, (tx) => publishCatalog(tx, parseCatalog(meteredCatalog("0.01"))));
});
afterAll(() => fixture.close());

const periodStart = "2026-01-01T00:00:00.000Z";
const periodEnd = "2026-02-01T00:00:00.000Z";
const dueAt = "2026-02-01T01:00:00.000Z"; // an hour of grace
const hour = 3_600_000;
const waitSixHours = { usageWaitMsMax: 6 * hour };

/** A customer with a subscription since January; its source vouches for its usage until then. */
async function subscriberOf(
  customerId: string,
  completeUntil: string | null,
  testClockId: string | null = null,
) {
  await addCustomer(fixture.db, customerId, testClockId);
  const subscriptionId = `sub-${customerId}`;
  await openSubscription(fixture.db, {
    subscriptionId,
    customerId,
    requestId: "open",
    at: periodStart,
    items: [{ planKey: "metered", seats: 1 }],
  });
  if (completeUntil !== null) await vouch(customerId, completeUntil);
  return subscriptionId;
}

const vouch = (customerId: string, until: string) =>
  noteHeartbeat(fixture.db.orm, {
    source: "gateway",
    instance: "main",
    completeUntil: instant(until),
    customerIds: [customerId],
    types: null,
  });

const close = (subscriptionId: string, at: string, waiting = waitSixHours) =>
  closePeriodOnce(fixture.db, { subscriptionId, periodStart, at }, waiting);

async function invoiceOf(subscriptionId: string) {
  const [row] = await fixture.db.sql<{ id: string }[]>`
    select id from billing.invoice where subscription_id = ${subscriptionId} and kind = 'cycle'`;
  const invoice = await findInvoice(fixture.db.orm, row?.id ?? "");
  if (invoice === undefined) return undefined;
  const { usageCompleteUntil: until, usageKnownBy, usageHeldBackBy } = invoice;
  return {
    completeUntil: until === null ? null : isoOf(until),
    knownBy: usageKnownBy,
    heldBackBy: usageHeldBackBy,
  };
}

test("a period whose sources have passed its end is closed, and the invoice says that it is complete", async () => {
  const subscriptionId = await subscriberOf("complete", "2026-02-01T00:30:00Z");
  expect(await close(subscriptionId, dueAt)).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toEqual({
    completeUntil: periodEnd,
    knownBy: "reported",
    heldBackBy: null,
  });
});

test("a source that is behind holds the close up until it has passed the end", async () => {
  const subscriptionId = await subscriberOf("catching-up", "2026-01-31T23:59:59.999Z");
  expect(await close(subscriptionId, dueAt)).toEqual({
    outcome: "waiting",
    until: "2026-02-01T01:01:00.000Z",
    giveUpAt: "2026-02-01T07:00:00.000Z",
    completeUntil: "2026-01-31T23:59:59.999Z",
    source: "gateway",
    meterKey: "tokens",
  });
  expect(await invoiceOf(subscriptionId)).toBeUndefined();
  await vouch("catching-up", periodEnd);
  expect(await close(subscriptionId, "2026-02-01T01:01:00.000Z")).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toMatchObject({ completeUntil: periodEnd, heldBackBy: null });
});

test("at the limit it is closed as it is, and the invoice says up to when, and who was behind", async () => {
  const subscriptionId = await subscriberOf("stuck", "2026-01-30T12:00:00Z");
  expect(await close(subscriptionId, "2026-02-01T06:59:59.999Z")).toMatchObject({ outcome: "waiting" });
  expect(await close(subscriptionId, "2026-02-01T07:00:00.000Z")).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toEqual({
    completeUntil: "2026-01-30T12:00:00.000Z",
    knownBy: "reported",
    heldBackBy: "gateway",
  });
});

test("a deployment that does not wait says so all the same", async () => {
  const subscriptionId = await subscriberOf("hurried", "2026-01-30T12:00:00Z");
  expect(await close(subscriptionId, dueAt, { usageWaitMsMax: 0 })).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toMatchObject({ heldBackBy: "gateway" });
});

test("without sources nothing is waited for", async () => {
  const subscriptionId = await subscriberOf("unmeasured", null);
  expect(await close(subscriptionId, dueAt)).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toEqual({
    completeUntil: periodEnd,
    knownBy: "none",
    heldBackBy: null,
  });
});

test("on a test clock a source that names the customer is waited for, and nothing else", async () => {
  await fixture.owner.sql`
    insert into billing.test_clock (id, current_at, target_at) values ('clock', ${dueAt}, ${dueAt})`;
  const named = await subscriberOf("simulated", "2026-01-30T12:00:00Z", "clock");
  const other = await subscriberOf("simulated-too", null, "clock");
  await noteHeartbeat(fixture.db.orm, {
    source: "gateway",
    instance: "main",
    completeUntil: instant("2026-01-15T00:00:00Z"),
    customerIds: null,
    types: ["request"],
  });
  expect(await close(named, dueAt)).toMatchObject({
    outcome: "waiting",
    completeUntil: "2026-01-30T12:00:00.000Z",
  });
  expect(await close(other, dueAt)).toMatchObject({ outcome: "closed" });
});

test("a page leaves what must wait to a run of its own, once, and comes back to it at the limit", async () => {
  const waiting = await subscriberOf("page-waits", "2026-01-30T12:00:00Z");
  const ready = await subscriberOf("page-ready", periodEnd);
  const started: BillingCycleInput[] = [];
  const gateway = {
    startBillingCycle: async (input: BillingCycleInput) => void started.push(input),
    startCollection: async () => {},
  };
  const deps = { db: fixture.db, gateway } as unknown as ActivityDependencies;
  const page = (now: string) =>
    closeDuePage(
      deps,
      { lane: 0, lanes: 1, after: null, limit: 100 },
      { ...pageOptions(now), ...waitSixHours },
    );
  await page(dueAt);
  expect(started.map(({ subscriptionId }) => subscriptionId)).toContain(waiting);
  expect(await invoiceOf(ready)).toMatchObject({ heldBackBy: null });
  expect(await invoiceOf(waiting)).toBeUndefined();

  started.length = 0;
  await page("2026-02-01T03:00:00Z");
  expect(started).toEqual([]);
  const row = await findSubscription(fixture.db.orm, waiting);
  expect(row?.nextCloseAt).toBe(instant("2026-02-01T07:00:00Z"));
  await page("2026-02-01T07:00:00Z");
  expect(await invoiceOf(waiting)).toMatchObject({ heldBackBy: "gateway" });
});
