import fc from "fast-check";
import { expect, test } from "vitest";
import {
  calculateAggregation,
  calculateCreditBurnDown,
  calculateDunningSchedule,
  calculateInvoiceTotal,
  calculateMoney,
  calculatePeriods,
  calculatePrice,
  calculateProration,
  type DunningHappening,
} from "../../../src/domain/calculators/index.ts";
import { addDuration, boundary, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { defaultProration, prorationUnits, type UsageModel } from "../../../src/domain/catalog/index.ts";
import { burnDown, usualCreditPolicy } from "../../../src/domain/credits/index.ts";
import { dunningPolicy } from "../../../src/domain/lifecycle/index.ts";
import { aggregate, type Meter, measure } from "../../../src/domain/metering/index.ts";
import {
  allocate,
  currency,
  decimal,
  ledgerAmount,
  ledgerAmountOfExact,
  money,
  roundTogether,
  roundToMinor,
  sumDecimals,
  zero,
} from "../../../src/domain/money/index.ts";
import { usedShare } from "../../../src/domain/proration/index.ts";
import { rateUsage } from "../../../src/domain/rating/index.ts";

/** Calculators say what the functions say that bill, and their parts sum to the whole. */

const usd = currency("usd");
const march = instant("2026-03-01T00:00:00Z");
const month = { unit: "month", count: 1 } as const;
const anyQuantity = fc
  .bigInt({ min: 0n, max: 10n ** 9n })
  .map((thousandths) => decimal(thousandths).times(decimal("0.001")));
const anyCents = fc.bigInt({ min: 0n, max: 10n ** 7n });
const anyInMarch = fc.integer({ min: 0, max: 31 * 86_400_000 - 1 }).map((ms) => instantOfEpochMs(march + ms));

const models: UsageModel[] = [
  { type: "per_unit", unitPriceMinor: "0.0003" },
  { type: "package", packageSize: "100", packagePriceMinor: "500", rounding: "up" },
  ...(["graduated", "volume"] as const).map((type) => ({
    type,
    tiers: [
      { upTo: "100", unitPriceMinor: "10", flatMinor: "0" },
      { upTo: null, unitPriceMinor: "5", flatMinor: "20" },
    ],
  })),
  {
    type: "stairstep",
    steps: [
      { upTo: "10", priceMinor: "900" },
      { upTo: null, priceMinor: "1500" },
    ],
  },
];

test("price: the rating of invoices, rounded once; tiers sum to the total", () => {
  fc.assert(
    fc.property(fc.constantFrom(...models), anyQuantity, anyQuantity, (model, total, included) => {
      const [priced] = calculatePrice({
        model,
        measures: [{ total }],
        included,
        negative: "clamped",
        currency: usd,
        rounding: "half-even",
      });
      const rated = rateUsage(model, total, included);
      expect(priced).toEqual({ rated, amount: roundToMinor(rated.exactMinor, usd) });
      expect(sumDecimals(rated.tiers.map(({ exactMinor }) => exactMinor)).text).toBe(rated.exactMinor.text);
    }),
  );
});

test("money: the parts are those of an allocation", () => {
  fc.assert(
    fc.property(
      anyCents,
      fc.array(fc.bigInt({ min: 1n, max: 1000n }), { minLength: 1 }),
      (minor, weights) => {
        const answer = calculateMoney({
          currency: usd,
          minorUnits: "iso",
          rounding: "half-even",
          amount: { in: "minor", exact: decimal(minor) },
          allocation: { weights },
        });
        expect(answer.parts).toEqual(allocate(money(minor, "usd"), weights));
        expect(answer.roundingMinor.text).toBe("0");
      },
    ),
  );
});

test("periods: the boundaries of a subscription, one after the other", () => {
  fc.assert(
    fc.property(
      anyInMarch,
      anyInMarch,
      fc.constantFrom("UTC", "Europe/Berlin", "America/Sao_Paulo"),
      (start, from, timeZone) => {
        const rule = { type: "anniversary" } as const;
        const periods = calculatePeriods({ start, rule, interval: month, timeZone, from, count: 24 });
        const anchor = { at: start, interval: month, timeZone };
        for (const [index, { index: number, period }] of periods.entries()) {
          expect(period).toEqual({ start: boundary(anchor, number), end: boundary(anchor, number + 1) });
          expect(period.start).toBe(periods[index - 1]?.period.end ?? period.start);
        }
      },
    ),
  );
});

test("aggregation: what events contribute, put together", () => {
  const meter: Meter = { key: "m", eventType: "e", aggregation: "sum", property: "n", dimensions: ["model"] };
  const anyEvent = fc.record({
    time: anyInMarch,
    n: fc.integer({ min: 0, max: 1000 }),
    model: fc.constantFrom("a", "b"),
  });
  fc.assert(
    fc.property(fc.array(anyEvent), (written) => {
      const events = written.map(({ time, ...data }, index) => ({ id: `${index}`, time, data }));
      const period = { start: march, end: instant("2026-04-01T00:00:00Z") };
      const answer = calculateAggregation({
        meter,
        events,
        period,
        duplicates: "ignored",
        windows: { size: "day", timeZone: "Europe/Berlin" },
      });
      const contributed = events.flatMap((event) =>
        measure({ ...event, source: "s", customerId: "c", type: "e" }, [meter]).map(
          ({ quantity }) => quantity,
        ),
      );
      expect(answer.quantity.text).toBe(aggregate("sum", contributed).text);
      for (const parts of [answer.groups, answer.windows]) {
        expect(sumDecimals(parts.map(({ quantity }) => quantity)).text).toBe(answer.quantity.text);
      }
    }),
  );
});

test("dunning: the schedule's attempts are those of the policy, whatever the customer tries", () => {
  const days = [2, 7, 14, 21];
  const policy = dunningPolicy({ retryAfterDays: days, finalAction: "cancel", accessGraceDays: 7 });
  const dayMs = 86_400_000;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 * dayMs })), (tries) => {
      const events = tries.map(
        (ms): DunningHappening => ({
          type: "new_payment_method",
          at: instantOfEpochMs(march + ms),
          outcome: { status: "declined", decline: "soft" },
        }),
      );
      const course = calculateDunningSchedule({
        policy,
        place: { timeZone: "UTC", learntHour: null },
        failedAt: march,
        decline: "soft",
        scheduled: [],
        events,
      });
      const scheduled = course.attempts.filter(({ cause }) => cause === "schedule").map(({ at }) => at);
      expect(scheduled).toEqual(days.map((count) => march + count * dayMs));
      expect(course.attempts).toHaveLength(1 + tries.length + 4);
      expect(course.states.map(({ from }) => from)).toEqual(
        course.states.map(({ from }) => from).toSorted((a, b) => a - b),
      );
    }),
  );
});

test("proration: the first credit and charge are the unused shares; there and back is nothing", () => {
  fc.assert(
    fc.property(
      anyCents,
      anyCents,
      anyInMarch,
      fc.constantFrom(...prorationUnits),
      (before, after, at, unit) => {
        const amounts = { before: money(before, "usd"), after: money(after, "usd") };
        const period = { start: march, end: instant("2026-04-01T00:00:00Z") };
        const answer = calculateProration({
          periodStart: march,
          interval: month,
          timeZone: "UTC",
          charged: { amount: amounts.before, paid: amounts.before },
          changes: [
            { at, amount: amounts.after, interval: month },
            { at, amount: amounts.before, interval: month },
          ],
          policy: { ...defaultProration, unit },
        });
        expect(answer.net.amountMinor).toBe(0n);
        expect(answer.segments.reduce((sum, { amount }) => sum + amount.amountMinor, 0n)).toBe(before);
        if (unit !== "second") return;
        const unused = before - usedShare(amounts.before, period, at).amountMinor;
        const rest = after - usedShare(amounts.after, period, at).amountMinor;
        expect(answer.changes[0]?.net.amountMinor).toBe(rest - unused);
      },
    ),
  );
});

test("credit burn-down: that of the domain; balance, draws and losses account for all that was granted", () => {
  const anyGrant = fc.record({
    amount: anyCents,
    priority: fc.integer({ min: 0, max: 3 }),
    at: anyInMarch,
    days: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(
      fc.array(anyGrant, { maxLength: 8 }),
      fc.array(fc.tuple(anyInMarch, anyCents), { maxLength: 8 }),
      (written, used) => {
        const grants = written.map(({ amount, priority, at, days }, index) => ({
          id: `g${index}`,
          kind: "promotional" as const,
          priority,
          remaining: ledgerAmount(amount),
          effectiveAt: at,
          expiresAt: addDuration(at, { days }, "UTC"),
          createdAt: at,
          currency: usd,
        }));
        const usage = used.map(([at, amount]) => ({
          at,
          amount: ledgerAmount(amount),
          product: "p",
          price: null,
        }));
        const facts = {
          grants,
          usage,
          resets: [],
          at: instant("2026-05-01T00:00:00Z"),
          policy: usualCreditPolicy,
        };
        const { balance, restored, excess, ...burned } = calculateCreditBurnDown({
          ...facts,
          refund: ledgerAmount(0n),
        });
        expect(burned).toEqual(burnDown(facts));
        expect([restored, excess]).toEqual([[], 0n]);
        const of = (key: "granted" | "drawn" | "lost") =>
          burned.grants.reduce((sum, grant) => sum + grant[key], 0n);
        expect(of("granted")).toBe(of("drawn") + of("lost") + balance);
      },
    ),
  );
});

test("invoice total: lines sum to the subtotal, and the subtotal is paid by credit, balance and customer", () => {
  const anyLine = fc.record({ exact: anyQuantity, kind: fc.constantFrom("usage" as const, "fee" as const) });
  const question = {
    currency: usd,
    asOf: march,
    adjustments: [],
    taxLines: [],
    tax: "after_credits",
    creditPolicy: usualCreditPolicy,
    carriesSmallAmounts: true,
  } as const;
  fc.assert(
    fc.property(
      fc.array(anyLine),
      anyCents,
      anyCents,
      fc.constantFrom("line" as const, "net" as const),
      (written, credit, balance, rounding) => {
        const lines = written.map(({ exact, kind }, index) => ({
          key: `${index}`,
          description: `${index}`,
          product: "p",
          kind,
          exactMinor: exact,
        }));
        const grant = {
          id: "g",
          kind: "paid" as const,
          priority: 0,
          remaining: ledgerAmountOfExact(decimal(credit)),
          effectiveAt: march,
          expiresAt: null,
          createdAt: march,
          currency: usd,
        };
        const {
          lines: made,
          subtotal,
          totals,
        } = calculateInvoiceTotal({
          ...question,
          lines,
          rounding,
          grants: [grant],
          customerBalance: money(balance, "usd"),
        });
        const sum = made.reduce((all, { amount }) => all + amount.amountMinor, 0n);
        expect(subtotal.amountMinor).toBe(sum);
        const paid =
          totals.creditsApplied.amountMinor + totals.balanceApplied.amountMinor + totals.total.amountMinor;
        expect(paid).toBe(sum);
        const exact = roundToMinor(sumDecimals(lines.map(({ exactMinor }) => exactMinor)), usd).amountMinor;
        const quoted = made.slice(0, lines.length).reduce((all, { amount }) => all + amount.amountMinor, 0n);
        if (rounding === "net") expect(quoted).toBe(exact);
      },
    ),
  );
});

test("amounts that are rounded together sum to their sum, each within one unit of what it is", () => {
  const anyExact = fc
    .bigInt({ min: -(10n ** 9n), max: 10n ** 9n })
    .map((units) => decimal(units).times(decimal("0.01")));
  fc.assert(
    fc.property(fc.array(anyExact), (exact) => {
      const amounts = roundTogether(exact, usd);
      const sum = amounts.reduce((all, { amountMinor }) => all + amountMinor, 0n);
      expect(sum).toBe(roundToMinor(sumDecimals(exact), usd).amountMinor);
      for (const [index, { amountMinor }] of amounts.entries()) {
        const off = decimal(amountMinor).minus(exact[index] ?? zero);
        expect(off.compare(decimal("1")) <= 0 && off.compare(decimal("-1")) > 0).toBe(true);
      }
    }),
  );
});
