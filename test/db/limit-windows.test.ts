import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkEntitlements } from "../../src/api/entitlements/check-entitlements.ts";
import { snapshotContent } from "../../src/api/entitlements/snapshot-content.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { decimal } from "../../src/domain/money/index.ts";
import { decideLocally, readyFeature } from "../../src/sdk/entitlements/local-decision.ts";
import { scaled } from "../../src/sdk/entitlements/quantity.ts";
import { ingest, openUsage, type UsageFixture, usageEvent } from "./usage-fixture.ts";

/** Limits in windows of every kind at once, against all uses looked at one by one; asked here, and decided by a snapshot. */
let usage: UsageFixture;
beforeAll(async () => {
  usage = await openUsage();
  const feature = { key: "requests", name: "Requests", type: "metered", meter: "requests" };
  await usage.db
    .sql`insert into catalog.feature (key, version, definition) values ('requests', 1, ${JSON.stringify(feature)}::text::jsonb)`;
});
afterAll(() => usage.close());

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** In Berlin the evening before the clocks go forward: days of 23 hours, and the end of a month, are ahead. */
const begin = instant("2026-03-28T21:07:00Z");

interface Use {
  readonly at: number;
  readonly model: string;
}

interface ModelledLimit {
  readonly limit: object;
  readonly amount: number;
  /** Whether a use counts, of one model where the limit is each one's own. */
  readonly counts: (use: Use, now: number, model: string, opened: number | null) => boolean;
  readonly isFor?: string;
}

const berlin = (at: number, parts: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en", { timeZone: "Europe/Berlin", ...parts }).format(at);
const sameIn = (parts: Intl.DateTimeFormatOptions) => (use: Use, now: number) =>
  berlin(use.at, parts) === berlin(now, parts);
const sameDay = sameIn({ year: "numeric", month: "numeric", day: "numeric" });
const sameMonth = sameIn({ year: "numeric", month: "numeric" });
const minuteOf = (at: number) => Math.floor(at / minuteMs) * minuteMs;
const openMs = 10 * minuteMs;

const limits: readonly ModelledLimit[] = [
  {
    limit: { quantity: "3", window: { type: "rolling", length: { unit: "minute", count: 30 } } },
    amount: 3,
    counts: (use, now) => use.at >= minuteOf(now - 30 * minuteMs),
  },
  {
    limit: { quantity: "2", window: { type: "rolling", length: { unit: "hour", count: 2 } }, per: ["model"] },
    amount: 2,
    counts: (use, now, model) => use.model === model && use.at >= minuteOf(now - 2 * hourMs),
  },
  {
    limit: { quantity: "4", window: { type: "calendar", unit: "hour" } },
    amount: 4,
    counts: (use, now) => Math.floor(use.at / hourMs) === Math.floor(now / hourMs),
  },
  { limit: { quantity: "6", window: { type: "calendar", unit: "day" } }, amount: 6, counts: sameDay },
  {
    limit: { quantity: "3", window: { type: "calendar", unit: "day" }, where: { model: "large" } },
    amount: 3,
    counts: (use, now) => use.model === "large" && sameDay(use, now),
    isFor: "large",
  },
  // Without a subscription a billing cycle is a month of the customer's calendar.
  { limit: { quantity: "9", window: { type: "billing_cycle" } }, amount: 9, counts: sameMonth },
  { limit: { quantity: "14", window: { type: "never" } }, amount: 14, counts: () => true },
  {
    limit: {
      quantity: "1",
      window: { type: "first_use", length: { unit: "minute", count: 10 } },
      per: ["model"],
    },
    amount: 1,
    counts: (use, _now, model, opened) =>
      opened !== null && use.model === model && use.at >= opened && use.at < opened + openMs,
  },
];

const anyStory = fc.array(
  fc.record({
    // The ends of windows, a minute before and after them, and some time.
    passes: fc.oneof(
      fc.constantFrom(0, 1, 9, 10, 11, 23, 30, 31, 120, 121),
      fc.integer({ min: 0, max: 900 }),
    ),
    what: fc.constantFrom("use" as const, "late" as const, "ask" as const, "ask" as const, "hold" as const),
    model: fc.constantFrom("large", "small"),
    quantity: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 10, maxLength: 30 },
);

let stories = 0;

test("each limit has used what its window holds, and the narrow and the wide decide together", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, async (story) => {
      const customerId = await newCustomer(`story-${++stories}`);
      const uses: Use[] = [];
      const opened = new Map<string, number>();
      let now: number = begin;
      for (const [index, { passes, what, model, quantity }] of story.entries()) {
        now += passes * minuteMs;
        if (what === "use" || what === "late") {
          const at = what === "late" ? Math.max(begin, now - 7 * minuteMs) : now;
          const time = instantOfEpochMs(at);
          const data = { model, class: "input", tokens: 1 };
          await ingest(usage.db, [usageEvent({ id: `${customerId}/${index}`, customerId, time, data })]);
          uses.push({ at, model });
          continue;
        }
        for (const each of what === "ask" ? [model] : ["large", "small"]) openWindow(opened, uses, each, now);
        const expected = expectedOf(uses, now, model, quantity, opened);
        const answer = what === "ask" ? asked : held;
        expect(await answer(customerId, instantOfEpochMs(now), model, quantity)).toEqual(
          what === "ask" ? expected : { allowed: expected.allowed },
        );
      }
    }),
    { numRuns: 20, seed: 20260328 },
  );
});

/** The window of first use that is open, as whoever asks finds or opens it. */
function openWindow(opened: Map<string, number>, uses: readonly Use[], model: string, now: number): void {
  const own = uses.filter((use) => use.model === model).map(({ at }) => at);
  let from = opened.get(model) ?? Number.NEGATIVE_INFINITY;
  let found = opened.get(model);
  while (found === undefined || found + openMs <= now) {
    const after = found === undefined ? from : found + openMs;
    const next = own.filter((at) => at >= after).toSorted((one, other) => one - other)[0];
    if (next === undefined) return;
    [found, from] = [next, next];
  }
  opened.set(model, found);
}

function expectedOf(
  uses: readonly Use[],
  now: number,
  model: string,
  quantity: number,
  opened: ReadonlyMap<string, number>,
) {
  const told = opened.get(model) ?? null;
  const open = told !== null && told + openMs > now ? told : null;
  const used = limits
    .filter(({ isFor = model }) => isFor === model)
    .map(({ amount, counts }) => ({
      quantity: String(amount),
      used: String(uses.filter((use) => counts(use, now, model, open)).length),
    }));
  const allowed = used.every((each) => Number(each.used) + quantity <= Number(each.quantity));
  return { allowed, used };
}

async function asked(customerId: string, at: Instant, model: string, quantity: number) {
  const features = [{ key: "requests", quantity: decimal(String(quantity)) }];
  const checked = await checkEntitlements(usage.db, { customerId, subject: { model }, features }, at);
  const [feature] = checked?.features ?? [];
  return {
    allowed: feature?.decision.reason === "within_limits",
    used: feature?.limits.map(({ limit, used }) => ({ quantity: limit.amount.text, used: used?.text })),
  };
}

async function held(customerId: string, at: Instant, model: string, quantity: number) {
  const found = await snapshotContent(usage.db, customerId, at);
  const feature = found?.content.features.requests;
  if (feature === undefined) throw new Error("the snapshot has the feature");
  const question = { feature: "requests", subject: { model } };
  const { allowed } = decideLocally(readyFeature(feature), question, scaled(String(quantity)), at);
  return { allowed };
}

async function newCustomer(id: string): Promise<string> {
  const { sql } = usage.db;
  await sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values (${id}, ${id}, 'story@example.com', 'usd', 'Europe/Berlin', now())`;
  const entitlement = JSON.stringify({ feature: "requests", limits: limits.map(({ limit }) => limit) });
  await sql`
    insert into billing.feature_grant (id, customer_id, feature, kind, entitlement, effective_at, reason_code, granted_by, granted_at)
    values (${`fg-${id}`}, ${id}, 'requests', 'grant', ${entitlement}::text::jsonb, ${isoOf(begin)}, 'promotion', 'test', now())`;
  return id;
}
