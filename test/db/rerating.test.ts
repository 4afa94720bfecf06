import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childEnvironment, projectFolder } from "../../src/config.ts";
import { periodCosts } from "../../src/db/billing/period-cost.ts";
import { reratePeriods } from "../../src/db/billing/rerating.ts";
import { rerateAll } from "../../src/db/billing/rerating-run.ts";
import { subscriptionPage } from "../../src/db/billing/subscription-pages.ts";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { foldUsage } from "../../src/db/usage/folding.ts";
import { instant, type Period } from "../../src/domain/calendar/index.ts";
import type { RatedUsage } from "../../src/domain/invoicing/index.ts";
import { openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import { BilledMonths } from "./billed-months.ts";

const customers = ["acme", "bolt", "cedar"];
const now = instant("2026-02-01T01:00:00Z");
const january: Period = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };

/** Meters of every kind that read the same events, and prices that need more of them than one number. */
const catalog = {
  meters: [
    meter("tokens", "sum", { dimensions: ["model"] }),
    meter("peak", "max", {}),
    meter("highest", "max", {}),
    meter("models", "unique_count", { property: "model" }),
    meter("last", "latest", { dimensions: ["model"] }),
    meter("stored", "time_weighted_sum", { dimensions: ["model"] }),
    meter("mean", "average", { dimensions: ["model"] }),
  ],
  plans: [
    {
      key: "mixed",
      name: "Mixed",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        usagePrice("deep", "tokens", { model: "deep" }),
        usagePrice("swift", "tokens", { model: "swift" }),
        usagePrice("peak", "peak", {}),
        { ...usagePrice("peaks", "highest", {}), buckets: { per: "day", price: "sum" } },
        usagePrice("models", "models", {}),
        usagePrice("last", "last", { model: "deep" }),
        usagePrice("stored", "stored", { model: "swift" }),
        usagePrice("mean", "mean", {}),
      ],
    },
  ],
};

function meter(key: string, aggregation: string, more: object) {
  return { key, eventType: "request", aggregation, property: "tokens", ...more };
}

function usagePrice(key: string, meterKey: string, where: Record<string, string>) {
  const tiers = [
    { upTo: "100", unitPriceMinor: "0.5" },
    { upTo: null, unitPriceMinor: "0.3" },
  ];
  const model = { type: "graduated", tiers };
  return { key, type: "usage", name: key, product: meterKey, meter: meterKey, where, included: "10", model };
}

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog);
  for (const customerId of customers) await months.subscribe(customerId, "mixed");
});
afterAll(() => months.end());

const anyUse = fc.record({
  customerId: fc.constantFrom(...customers),
  day: fc.integer({ min: 1, max: 45 }),
  minute: fc.integer({ min: 0, max: 1439 }),
  tokens: fc.integer({ min: 0, max: 300 }),
  model: fc.constantFrom("deep", "swift"),
});

type Use = typeof anyUse extends fc.Arbitrary<infer One> ? One : never;

async function use({ customerId, day, minute, tokens, model }: Use): Promise<void> {
  const time = new Date(january.start + ((day - 1) * 1440 + minute) * 60_000);
  await months.use(customerId, time.toISOString(), tokens, model);
}

const figuresOf = (rated: readonly RatedUsage[]) =>
  rated.map(({ stretch, plan, price, rated: { quantity, exactMinor } }) => ({
    stretch,
    price: `${plan.key} ${price.key}`,
    quantity: quantity.text,
    exactMinor: exactMinor.text,
  }));

test("a page of subscriptions comes to what each of them does by itself, folded or not, open and closed", async () => {
  const [closed = "", ...open] = customers;
  await months.close(closed, "2026-01-01", "2026-02-01");
  await fc.assert(
    fc.asyncProperty(fc.array(anyUse, { maxLength: 12 }), fc.boolean(), async (uses, isFolded) => {
      for (const each of uses) await use(each);
      if (isFolded) await inTransaction(months.db, foldUsage);
      const request = { now, closedIn: january, known: new Map() };
      await inSnapshot(months.db, async (tx) => {
        const page = await subscriptionPage(tx, "", 10);
        const rerated = await reratePeriods(tx, page, request);
        expect(rerated.map(({ subscriptionId, isClosed }) => ({ subscriptionId, isClosed }))).toEqual([
          { subscriptionId: closed, isClosed: true },
          { subscriptionId: closed, isClosed: false },
          ...open.map((subscriptionId) => ({ subscriptionId, isClosed: false })),
        ]);
        for (const { subscriptionId, period, rated } of rerated) {
          const at = page.find(({ row }) => row.id === subscriptionId)?.clockTime ?? now;
          const ofOne = { customerId: subscriptionId, now: at, periodStart: period.start };
          const [alone] = await periodCosts(tx, ofOne);
          expect(figuresOf(rated)).toEqual(figuresOf(alone?.rated ?? []));
        }
      });
    }),
    { numRuns: 12 },
  );
});

describe("what is booked of closed periods is compared", () => {
  test("late usage waits, damage is named, and the command says which", async () => {
    const customerId = "dune";
    await months.subscribe(customerId, "mixed");
    await months.use(customerId, "2026-01-10T10:00:00Z", 40);
    await months.close(customerId, "2026-01-01", "2026-02-01");
    expect((await differing(customerId))?.differences).toBeUndefined();

    const superuser = await openAsSuperuser(months.db);
    await superuser.orm.transaction((tx) =>
      withoutGuards(
        tx,
        `update billing.rated_usage set exact_minor = exact_minor + 1 where subscription_id = '${customerId}' and price_key = 'deep'`,
      ),
    );
    // 40 less the 10 that are free, at 0.5.
    expect(await differing(customerId)).toMatchObject({
      unseen: 0n,
      differences: [
        { priceKey: "deep", booked: { exactMinor: { text: "16" } }, rated: { exactMinor: { text: "15" } } },
      ],
    });
    const damaged = await run("--closed", "2026-01");
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toContain(
      "dune, 2026-01-01T00:00:00.000Z, mixed deep: booked 16 for 40, comes to 15 for 40; nothing has come since\n",
    );
    await superuser.orm.transaction((tx) =>
      withoutGuards(
        tx,
        `update billing.rated_usage set exact_minor = exact_minor - 1 where subscription_id = '${customerId}' and price_key = 'deep'`,
      ),
    );
    await superuser.close();

    await months.use(customerId, "2026-01-11T10:00:00Z", 5);
    const waiting = await run("--closed", "2026-01", "--json");
    expect(waiting.code).toBe(0);
    const { differing: found, ...counts } = JSON.parse(waiting.stdout);
    expect(counts).toMatchObject({ subscriptions: 4, closedPeriods: 2 });
    const ofDune = found.find(
      ({ subscriptionId }: { subscriptionId: string }) => subscriptionId === customerId,
    );
    expect(ofDune).toMatchObject({ unseenFacts: "1" });
    expect(ofDune.differences).toContainEqual(
      expect.objectContaining({
        priceKey: "deep",
        booked: { quantity: "40", exactMinor: "15" },
        rated: { quantity: "45", exactMinor: "17.5" },
      }),
    );
  });

  test.each([
    { args: ["--closed", "2026-13"], says: "and must look like 2026-03" },
    { args: ["--month", "2026-01"], says: "Unknown option '--month'" },
  ])("$args is refused", async ({ args, says }) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  });
});

async function differing(customerId: string) {
  const { differing: found } = await rerateAll(months.db, { now, closedIn: january, pagesAtOnce: 2 });
  return found.find(({ subscriptionId }) => subscriptionId === customerId);
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = childEnvironment({ DATABASE_URL: months.appUrl });
  const command = ["src/cli/rating-rerate.ts", ...args];
  return await promisify(execFile)(process.execPath, command, { cwd: projectFolder, env }).then(
    (done) => ({ code: 0, ...done }),
    (error) => error,
  );
}
