import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closeDuePage } from "../../src/activities/close-due-page.ts";
import { type CollectOptions, collectDuePage } from "../../src/activities/collect-due-page.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { StripeCallError } from "../../src/stripe/index.ts";
import type { CollectionInput, DunningInput } from "../../src/workflows/messages.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";
import { dueAt, publishPlans, subscribe } from "./due-customers.ts";
import { pageOptions } from "./page-options.ts";
import { giveCard, openAccount, type StripeAccount, standing, withoutStripeIds } from "./paying-customers.ts";

/** Invoices of closed periods, collected in pages, with a real Stripe client and the stand-in behind it. */
let fixture: UsageFixture;
let account: StripeAccount;
let deps: ActivityDependencies;
const collections: CollectionInput[] = [];
const dunnings: DunningInput[] = [];
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 8 });
  await publishPlans(fixture.db);
  account = await openAccount(fixture.db);
  const gateway = {
    startCollection: async (input: CollectionInput) => void collections.push(input),
    startDunning: async (input: DunningInput) => void dunnings.push(input),
  };
  deps = {
    db: fixture.db,
    rail: account.rail,
    gateway,
    now: standing(dueAt),
  } as unknown as ActivityDependencies;
}, 60_000);
afterAll(async () => {
  await account.sandbox.close();
  await fixture.close();
});
beforeEach(async () => {
  collections.length = 0;
  dunnings.length = 0;
  await fixture.db
    .sql`update billing.invoice set collected_by = 'test' where status = 'open' and collected_by is null`;
});

let customers = 0;
/** Customers with an invoice each of a period that was closed in a page; the ids of the invoices, ascending. */
async function issued(cards: readonly string[]): Promise<string[]> {
  for (const card of cards) {
    const customerId = `payer-${String(++customers).padStart(4, "0")}`;
    await subscribe(fixture.db, customerId);
    await giveCard(deps, customerId, card);
  }
  await fixture.db
    .sql`update billing.invoice set collected_by = 'test' where kind = 'activation' and collected_by is null`;
  await closeDuePage(deps, { lane: 0, lanes: 1, after: null, limit: 1_000 }, pageOptions(dueAt));
  const found = await fixture.db.sql<{ id: string }[]>`
    select id from billing.invoice where kind = 'cycle' and status = 'open' and collected_by is null order by id`;
  return found.map(({ id }) => id);
}

const visa = "pm_card_visa";
const failing = "pm_card_chargeCustomerFail";

const options: CollectOptions = {
  ...{ now: instant(dueAt), patienceMs: 0, invoicesPerSecond: 1_000 },
  isStopping: () => false,
  onFailure: () => {},
};

const collect = (of: ActivityDependencies = deps, limit = 100, with_: Partial<CollectOptions> = {}) =>
  collectDuePage(of, { limit }, { ...options, ...with_ });

async function rowsOf(ids: readonly string[]) {
  return await fixture.db.sql<
    { status: string; collectedBy: string | null; attempts: number; payments: number }[]
  >`
    select status, collected_by as "collectedBy",
      (select count(*)::int from billing.payment_attempt where invoice_id = id) as attempts,
      (select count(*)::int from billing.payment where invoice_id = id) as payments
    from billing.invoice where id in (select json_array_elements_text(${JSON.stringify(ids)}::text::json)) order by id`;
}

const paid = { status: "paid", collectedBy: null, attempts: 1, payments: 1 };

test("what is paid is booked by then, needs no run, and is not met again", async () => {
  const ids = await issued([visa, visa, visa]);
  expect(await collect(deps, 2)).toEqual({ paid: 2, handedOver: 0, more: true });
  expect(await collect(deps, 2)).toEqual({ paid: 1, handedOver: 0, more: false });
  expect(await collect()).toEqual({ paid: 0, handedOver: 0, more: false });
  expect(await rowsOf(ids)).toEqual(ids.map(() => paid));
  expect([...collections, ...dunnings]).toEqual([]);
  await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
});

test("a decline has a dunning, once", async () => {
  const [id = ""] = await issued([failing]);
  expect(await collect()).toEqual({ paid: 0, handedOver: 1, more: false });
  expect(await collect()).toEqual({ paid: 0, handedOver: 0, more: false });
  expect(dunnings).toMatchObject([{ invoiceId: id, startedAt: dueAt, lastDecline: "soft", clock: null }]);
  expect(await rowsOf([id])).toEqual([
    { status: "open", collectedBy: `dunning/${id}`, attempts: 1, payments: 0 },
  ]);
});

test("an invoice that Stripe refuses has a run of its own, and the others are paid", async () => {
  const ids = await issued([visa, visa]);
  const [first = "", second = ""] = ids;
  const refused = new StripeCallError("POST /v1/invoices", {
    ...{ kind: "invalid_request", code: "amount_too_large", param: null, message: "too much" },
  });
  const { rail } = account;
  const refusing = {
    ...rail,
    mirrorInvoice: (of: Parameters<typeof rail.mirrorInvoice>[0]) =>
      of.invoiceId === first ? Promise.reject(refused) : rail.mirrorInvoice(of),
  };
  const told: unknown[] = [];
  const answer = await collect({ ...deps, rail: refusing }, 100, {
    onFailure: (invoiceId, error) => told.push([invoiceId, error]),
  });
  expect(answer).toEqual({ paid: 1, handedOver: 1, more: false });
  expect(collections).toMatchObject([{ invoiceId: first, clock: null }]);
  expect(told).toEqual([[first, refused]]);
  expect((await rowsOf([first]))[0]?.collectedBy).toBe(`collection/${first}`);
  expect(await rowsOf([second])).toEqual([paid]);
});

test("a Stripe that is away fails the attempt after a few invoices; the next one goes on", async () => {
  const ids = await issued(Array.from({ length: 20 }, () => visa));
  const away = () => Promise.reject(new StripeCallError("POST /v1/invoices", { kind: "unavailable" }));
  const rail = { ...account.rail, mirrorInvoice: away };
  await expect(collect({ ...deps, rail })).rejects.toThrow("POST /v1/invoices");
  expect(collections).toHaveLength(3);
  expect(await collect()).toEqual({ paid: ids.length - 3, handedOver: 0, more: false });
});

test("an invoice of an activation is left to whoever issued it, for ten minutes", async () => {
  await issued([]);
  await subscribe(fixture.db, "activated");
  const at = (time: string) => collect(deps, 100, { now: instant(time) });
  expect(await at("2026-01-01T00:09:00Z")).toMatchObject({ paid: 0, handedOver: 0 });
  expect(await at("2026-01-01T00:10:00Z")).toMatchObject({ handedOver: 1 });
  expect(dunnings).toMatchObject([{ subscriptionId: "sub-activated", lastDecline: "hard" }]);
});

test("a run that could not be started is tried again, and the others are not", async () => {
  const ids = await issued([failing, failing]);
  let refused = 0;
  const startDunning = async (input: DunningInput) => {
    if (refused++ === 0) throw new Error("Temporal is away");
    dunnings.push(input);
  };
  // Neither is a collection to be had then.
  const startCollection = () => Promise.reject(new Error("Temporal is away"));
  const gateway = { startDunning, startCollection } as unknown as ActivityDependencies["gateway"];
  await expect(collect({ ...deps, gateway })).rejects.toThrow("Temporal is away");
  await collect();
  expect(dunnings.map(({ invoiceId }) => invoiceId).sort()).toEqual(ids);
  expect((await rowsOf(ids)).map(({ attempts }) => attempts)).toEqual(ids.map(() => 1));
});

test("invoices are begun at the rate that is given", async () => {
  await issued([visa, visa, visa, visa]);
  const startedAt = performance.now();
  await collect(deps, 100, { invoicesPerSecond: 10 });
  expect(performance.now() - startedAt).toBeGreaterThan(300);
});

/** Calls to Stripe of which the process that makes them dies: with what it had been about to send, or before it heard the answer. */
describe("a worker that is killed in the middle of a page leaves nothing twice and nothing out", () => {
  test.each(
    ["mirrorInvoice", "payInvoice", "retrieveSettlement"].flatMap((call) =>
      ["before", "after"].map((when) => ({ call, when })),
    ),
  )("$when $call", async ({ call, when }) => {
    const ids = await issued([visa, failing, visa, visa]);
    await killedAt(call as "payInvoice", when as "before" | "after", 2);
    const answer = await collect();
    expect(answer.more).toBe(false);
    expect([...collections]).toEqual([]);
    expect(dunnings.length).toBeGreaterThan(0);
    expect(new Set(dunnings.map((begun) => JSON.stringify(begun))).size).toBe(1);
    const [declined = ""] = dunnings.map(({ invoiceId }) => invoiceId);
    expect(await rowsOf(ids)).toEqual(
      ids.map((id) =>
        id === declined ? { status: "open", collectedBy: `dunning/${id}`, attempts: 1, payments: 0 } : paid,
      ),
    );
    const charges = await fixture.db.sql<{ key: string }[]>`
      select key from stripe.operation where key like '%/attempt/%' and key like any (
        select 'invoice/' || json_array_elements_text(${JSON.stringify(ids)}::text::json) || '/%')`;
    expect(charges).toHaveLength(ids.length);
    expect(withoutStripeIds(charges.map(({ key }) => key))).toEqual(
      ids.map((id) => `invoice/${id}/attempt/1`).sort(),
    );
    await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
  });

  /** A dead process hears no answer and sends nothing more; what it has begun in the database is taken back. */
  async function killedAt(
    call: "mirrorInvoice" | "payInvoice" | "retrieveSettlement",
    when: "before" | "after",
    nth: number,
  ): Promise<void> {
    const killed = Promise.withResolvers<void>();
    const dead = new Promise<never>(() => {});
    let calls = 0;
    let isDead = false;
    const dying = (name: string, make: (input: never) => Promise<unknown>) => async (input: never) => {
      if (isDead) return await dead;
      const isLast = name === call && ++calls === nth;
      if (isLast) isDead = true;
      if (isLast && when === "before") killed.resolve();
      if (isLast && when === "before") return await dead;
      const answer = await make(input);
      if (isLast) killed.resolve();
      return isDead ? await dead : answer;
    };
    const rail = Object.fromEntries(
      Object.entries(account.rail).map(([name, make]) => [name, dying(name, make)]),
    );
    void collect({ ...deps, rail: rail as unknown as StripeAccount["rail"] });
    await killed.promise;
  }
});
