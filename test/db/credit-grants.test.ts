import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { burnDown } from "../../src/domain/credits/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { cents } from "./adjusted-story.ts";
import { CreditStory, rollover } from "./credit-story.ts";

let db: Database;
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  ending.push(drop, () => db.close());
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const large = { type: "product", product: "large" } as const;
const smallPrice = { type: "price", planKey: "metered", priceKey: "small" } as const;

const bought = ["anything", "bought-soon", "second", "paid-gone", "part"].map((grant) => `inv_${grant}`);

/** One clock goes through January to April; every test has customers of its own, named after what they show. */
describe("from January to April", () => {
  let story: CreditStory;

  beforeAll(async () => {
    story = new CreditStory(db);
    await story.begin();
    for (const id of [
      "scoped",
      "featured",
      "monthly",
      "rolling",
      "capped",
      "expiring",
      "late",
      "lapsed",
      "boundary",
      "mixed",
    ])
      await story.customer(id);
    await story.gift("only-large", "scoped", 50n, { scope: [large] });
    await story.gift("only-small", "scoped", 5n, { scope: [smallPrice] });
    await story.buy("anything", "scoped", 60n);
    await story.gift("fast-only", "featured", 50n, { scope: [{ type: "feature", feature: "fast_models" }] });
    await story.recurring("crr-monthly", "monthly", 100n);
    await story.recurring("crr-rolling", "rolling", 100n, rollover(0n, 50n, null, 2));
    await story.recurring("crr-capped", "capped", 100n, rollover(10n, 50n, 70n));
    await story.gift("soon", "expiring", 40n, { expiresAt: instant("2026-01-20T00:00:00Z") });
    await story.buy("bought-soon", "expiring", 500n, { expiresAt: instant("2026-01-21T00:00:00Z") });
    await story.gift("first", "late", 60n, { priority: 1 });
    await story.buy("second", "late", 100n);
    await story.gift("gone", "lapsed", 60n, { expiresAt: instant("2026-02-10T00:00:00Z") });
    await story.buy("paid-gone", "lapsed", 100n, { expiresAt: instant("2026-02-11T00:00:00Z") });
    await story.gift("until-10th", "boundary", 100n, { expiresAt: instant("2026-01-10T00:00:00Z") });
    await story.buy("part", "mixed", 40n);
    const [early, later] = ["2026-01-05T10:00:00Z", "2026-01-25T10:00:00Z"];
    await story.use("scoped", early, "large", 70);
    await story.use("scoped", early, "small", 100); // 30.00
    await story.use("featured", early, "large", 70);
    await story.use("featured", early, "small", 100); // 30.00
    for (const id of ["monthly", "rolling"]) await story.use(id, early, "large", 40);
    await story.use("expiring", early, "large", 30);
    await story.use("late", early, "volume", 100);
    await story.use("lapsed", early, "volume", 100);
    await story.use("boundary", early, "large", 30);
    await story.use("boundary", later, "large", 75);
    await story.use("mixed", early, "volume", 100);
    await story.at("2026-02-01T01:00:00Z");
  });

  test("credit for a feature pays for the prices that belong to it", async () => {
    expect(await story.close("featured", "2026-01")).toBe("70");
    expect(await story.draws("featured")).toEqual(["fast-only 30 of small"]);
    expect(await story.grants("featured")).toEqual(["fast-only 20/50"]);
  });

  test("credit pays for what it is for, line by line, what is left for everything pays the rest", async () => {
    // large 70 = 50 of its own + 20 of anything; small 30 = 5 of its own + 25 of anything.
    expect(await story.close("scoped", "2026-01")).toBe("0");
    expect(await story.draws("scoped")).toEqual([
      "only-large 50 of large",
      "anything 20 of large",
      "only-small 5 of small",
      "anything 25 of small",
    ]);
    expect(await story.grants("scoped")).toEqual(["anything 15/60", "only-large 0/50", "only-small 0/5"]);
    expect(await story.booked("scoped", "credits_burned")).toEqual([
      "2010 → 4000 50",
      "4900 → 1300 50",
      "2000 → 4000 20",
      "2010 → 4000 5",
      "4900 → 1300 5",
      "2000 → 4000 25",
    ]);
  });

  test("each time is given once, on its instant; January's pays January although it is over, and then ends", async () => {
    expect(await story.grants("monthly")).toEqual(["crr-monthly.0 100/100", "crr-monthly.1 100/100"]);
    expect(await story.close("monthly", "2026-01")).toBe("0");
    expect(await story.draws("monthly")).toEqual(["crr-monthly.0 40 of large"]);
    expect(await story.grants("monthly")).toEqual(["crr-monthly.0 0/100 ended", "crr-monthly.1 100/100"]);
    expect(await story.booked("monthly", "promotional_credits_granted")).toEqual([
      "1300 → 2010 100",
      "1300 → 2010 100",
    ]);
    expect(await story.booked("monthly", "grant_expired")).toEqual(["2010 → 1300 60"]);
  });

  test("of 60 that are left 50 go over for two months, by the closing that knows what is left", async () => {
    await story.close("rolling", "2026-01");
    expect(await story.grants("rolling")).toEqual([
      "crr-rolling.0 0/100 ended",
      "crr-rolling.1 100/100",
      "crr-rolling.1.rollover 50/50",
    ]);
    const [over] =
      await db.sql`select effective_at::text, expires_at::text from billing.credit_grant where id = 'crr-rolling.1.rollover'`;
    expect(over).toEqual({ effective_at: "2026-02-01 00:00:00+00", expires_at: "2026-04-01 00:00:00+00" });
  });

  test("what expires in mid-month pays for usage from before, and the rest is breakage, or given for nothing", async () => {
    expect(await story.close("expiring", "2026-01")).toBe("0");
    expect(await story.draws("expiring")).toEqual(["soon 30 of large"]);
    expect(await story.grants("expiring")).toEqual(["bought-soon 0/500 ended", "soon 0/40 ended"]);
    expect(await story.booked("expiring", "grant_expired")).toEqual(["2010 → 1300 10", "2000 → 4020 500"]);
  });

  test("and not for usage from after: 30 until the 10th, 75 later", async () => {
    expect(await story.close("boundary", "2026-01")).toBe("75");
    expect(await story.draws("boundary")).toEqual(["until-10th 30 of large"]);
    expect(await story.booked("boundary", "grant_expired")).toEqual(["2010 → 1300 70"]);
  });

  test("late usage that makes a period cheaper gives back to the grants that had paid, the newest draw first", async () => {
    // 100 at 1.00 = 60 + 40; 101 at 0.50 = 50.50: 49.50 go back, 40 of it to the last.
    expect(await story.close("late", "2026-01")).toBe("0");
    expect(await story.grants("late")).toEqual(["first 0/60", "second 60/100"]);
    await story.use("late", "2026-01-31T00:00:00Z", "volume", 1);
    await story.at("2026-03-01T01:00:00Z");
    expect(await story.close("late", "2026-02")).toBe("0");
    expect(await story.returns("late")).toEqual(["second 40 to grant", "first 9.5 to grant"]);
    expect(await story.grants("late")).toEqual(["first 9.5/60", "second 100/100"]);
    expect(await story.booked("late", "late_usage_adjusted")).toEqual([
      "4000 → 2000 40",
      "4000 → 2010 9.5",
      "1300 → 4900 9.5",
    ]);
  });

  test("what was paid with a grant that has ended since is the customer's; a gift is gone", async () => {
    expect(await story.close("lapsed", "2026-01")).toBe("0");
    await story.use("lapsed", "2026-01-31T00:00:00Z", "volume", 1);
    expect(await story.close("lapsed", "2026-02")).toBe("0");
    expect(await story.returns("lapsed")).toEqual(["paid-gone 40 to balance", "gone 9.5 to lapsed"]);
    expect(await story.booked("lapsed", "late_usage_adjusted")).toEqual([
      "4000 → 2200 40",
      "4000 → 4900 9.5",
    ]);
  });

  test("a line that credit and money paid gives credit back first, then money", async () => {
    // 100 = 40 of credit + 60 of money; 49.50 less: 40 go back to the grant, 9.50 to the customer, who is given 10.
    expect(await story.close("mixed", "2026-01")).toBe("60");
    await story.use("mixed", "2026-01-31T00:00:00Z", "volume", 1);
    await story.close("mixed", "2026-02");
    expect(await story.returns("mixed")).toEqual(["part 40 to grant"]);
    expect(await story.grants("mixed")).toEqual(["part 40/40"]);
    expect(await story.booked("mixed", "late_usage_adjusted")).toEqual([
      "4000 → 2000 40",
      "4000 → 2200 10",
      "5900 → 4000 0.5",
    ]);
  });

  test("a new time does not pay for the period before it, and rollovers are trimmed to their cap, the oldest first", async () => {
    await story.close("capped", "2026-01");
    await story.close("capped", "2026-02");
    // 50 of January and 50 of February are more than 70: January's keep 20.
    expect(await story.grants("capped")).toEqual([
      "crr-capped.0 0/100 ended",
      "crr-capped.1 0/100 ended",
      "crr-capped.1.rollover 0/50 ended",
      "crr-capped.1.rollover.2 20/20",
      "crr-capped.2 100/100",
      "crr-capped.2.rollover 50/50",
    ]);
    await story.use("capped", "2026-03-10T00:00:00Z", "large", 135);
    await story.at("2026-04-01T01:00:00Z");
    expect(await story.close("capped", "2026-03")).toBe("0");
    // March's 100 end first; of what went over, that of January took effect with that of February, and was given before.
    expect(await story.draws("capped")).toEqual([
      "crr-capped.2 100 of large",
      "crr-capped.1.rollover.2 20 of large",
      "crr-capped.2.rollover 15 of large",
    ]);
  });

  test("the accounts hold what the burn-down of the domain says", async () => {
    const [from, used] = [instant("2026-01-01T00:00:00Z"), instant("2026-03-10T00:00:00Z")];
    const { grants } = burnDown({
      grants: [
        {
          ...{
            id: "crr-capped",
            kind: "promotional",
            priority: 50,
            remaining: cents(100n),
            currency: currency("usd"),
          },
          ...{ effectiveAt: from, createdAt: from, expiresAt: instant("2026-07-01T00:00:00Z") },
          recurrence: {
            anchor: { at: from, interval: { unit: "month", count: 1 }, timeZone: "UTC" },
            first: "at_once",
          },
          ...rollover(10n, 50n, 70n),
        },
      ],
      usage: [{ at: used, amount: cents(135n), product: "large", price: null }],
      resets: [],
      at: instant("2026-04-01T00:00:00Z"),
    });
    const left = grants.filter(({ remaining }) => remaining > 0n).map(({ remaining }) => remaining);
    const held = await db.sql<{ balance: string }[]>`
      select balance::text from ledger.balance where customer_id = 'capped' and code = '2010' and balance > 0`;
    const ascending = (one: bigint, other: bigint) => Number(one - other);
    expect(held.map(({ balance }) => BigInt(balance)).sort(ascending)).toEqual(left.sort(ascending));
    // April's 100, 35 of February's, and March's nothing, which is raised to 10.
    expect([...left]).toEqual([cents(10n), cents(35n), cents(100n)]);
  });

  test("doing it again, by several workers at once, changes nothing", async () => {
    const before = await Promise.all(["monthly", "rolling", "capped"].map((id) => story.grants(id)));
    await Promise.all([1, 2, 3].map(() => story.at("2026-04-01T01:00:00Z")));
    expect(await Promise.all(["monthly", "rolling", "capped"].map((id) => story.grants(id)))).toEqual(before);
  });

  test("everything that must be true is, and the accounts hold what the domain says", async () => {
    for (const id of ["scoped", "featured", "monthly", "rolling", "expiring", "boundary"]) {
      await story.close(id, "2026-02");
      await story.close(id, "2026-03");
    }
    for (const id of ["late", "lapsed", "mixed"]) await story.close(id, "2026-03");
    const { findings, derived } = await verifyInvoices(db);
    expect(derived).toBeGreaterThan(10);
    // Purchases are paid here as if the money had come, by invoices that nobody issued.
    expect(findings.filter(({ invoice }) => !bought.includes(invoice))).toEqual([]);
    await story.expectInvariants();
  });
});
