import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CardClaim, claimCardAttempt, finishCardAttempt } from "../../src/db/billing/card-attempts.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

/** How often a card is charged over all invoices of its customer: decided in the database, under the customer's lock. */
let clone: TestDatabase;
let db: Database;
let owner: Database;
let customers = 0;
let customerId = "";

const dayMs = 86_400_000;
const start = instant("2026-05-01T00:00:00Z");
const onDay = (day: number): Instant => instantOfEpochMs(start + day * dayMs);
const limit = { attemptsMax: 3, withinMs: 30 * dayMs, neverAfter: [] };

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 8 });
  owner = openDatabase({ url: clone.ownerUrl, poolSize: 1 });
});
afterAll(async () => {
  await db.close();
  await owner.close();
  await clone.drop();
});

beforeEach(newCustomer);

async function newCustomer(): Promise<void> {
  customers += 1;
  customerId = `cus-${customers}`;
  await owner.sql`insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values (${customerId}, 'Somebody', 'a@b.test', 'usd', 'UTC', '2026-01-01Z')`;
  await owner.sql`insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor,
      credits_applied_minor, balance_applied_minor, total_minor, issued_at)
    select id, id, 'credit_purchase', ${customerId}, id, 'open', 'usd', 5, 0, 0, 5, '2026-02-01Z'
    from unnest(${[1, 2, 3, 4, 5].map(invoice)}::text[]) as id`;
}

const invoice = (number: number) => `${customerId}-inv-${number}`;

async function claim(number: number, attempt: number, at: Instant, card = "visa"): Promise<CardClaim> {
  const charge = { invoiceId: invoice(number), attempt, customerId, card, amountMinor: 5n, at };
  return await inTransaction(db, (tx) => claimCardAttempt(tx, charge, limit));
}

const end = (number: number, attempt: number, outcome: "paid" | "declined" | "refused", endsCard = false) =>
  finishCardAttempt(db.orm, { invoiceId: invoice(number), attempt }, outcome, endsCard);

async function fails(number: number, attempt: number, at: Instant): Promise<void> {
  expect(await claim(number, attempt, at)).toEqual(granted(at));
  await end(number, attempt, "declined");
}

const granted = (at: Instant) => ({ status: "granted", at, amountMinor: 5n });

describe("a card", () => {
  test("is charged once at a time, over all invoices; another card is not kept waiting", async () => {
    expect(await claim(1, 1, onDay(0))).toEqual(granted(onDay(0)));
    expect(await claim(2, 1, onDay(0))).toEqual({ status: "busy" });
    expect(await claim(2, 1, onDay(0), "mastercard")).toEqual(granted(onDay(0)));
    await end(1, 1, "declined");
    expect(await claim(3, 1, onDay(0))).toEqual(granted(onDay(0)));
  });

  test("is charged again by the same attempt, as of when that was begun, whatever has become of it", async () => {
    await claim(1, 1, onDay(0));
    expect(await claim(1, 1, onDay(3))).toEqual(granted(onDay(0)));
    await end(1, 1, "paid");
    expect(await claim(1, 1, onDay(0))).toEqual(granted(onDay(0)));
    await expect(end(1, 1, "declined")).resolves.toBeUndefined();
    const [row] = await owner.sql`select outcome from billing.card_attempt where invoice_id = ${invoice(1)}`;
    expect(row?.outcome).toBe("paid");
  });

  test("rests when it has failed as often as the network allows, until the oldest failure is long enough ago", async () => {
    await fails(1, 1, onDay(0));
    await fails(2, 1, onDay(2));
    await fails(1, 2, onDay(4));
    expect(await claim(3, 1, onDay(5))).toEqual({ status: "withheld", until: onDay(30) });
    expect(await claim(3, 1, onDay(30))).toEqual(granted(onDay(30)));
    await end(3, 1, "declined");
    expect(await claim(4, 1, onDay(31))).toEqual({ status: "withheld", until: onDay(32) });
  });

  test("that pays, or that there was nothing to charge of, is not counted", async () => {
    for (const attempt of [1, 2, 3, 4]) {
      await claim(1, attempt, onDay(attempt));
      await end(1, attempt, attempt % 2 === 0 ? "paid" : "refused");
    }
    expect(await claim(2, 1, onDay(5))).toEqual(granted(onDay(5)));
  });

  test("that the network has ended is never charged again", async () => {
    await claim(1, 1, onDay(0));
    await end(1, 1, "declined", true);
    expect(await claim(2, 1, onDay(300))).toEqual({ status: "withheld", until: null });
    expect(await claim(2, 1, onDay(300), "mastercard")).toEqual(granted(onDay(300)));
  });

  test("whose charge nobody has heard of for a day keeps nobody waiting", async () => {
    await owner.sql`insert into billing.card_attempt (invoice_id, attempt, customer_id, card, amount_minor, attempted_at, claimed_at)
      values (${invoice(1)}, 1, ${customerId}, 'visa', 5, ${isoOf(onDay(0))}, now() - interval '25 hours')`;
    expect(await claim(2, 1, onDay(0))).toEqual(granted(onDay(0)));
  });

  test("asked for by many at once is given to one", async () => {
    const claims = await Promise.all([1, 2, 3, 4, 5].map((number) => claim(number, 1, onDay(0))));
    expect(claims.map(({ status }) => status).toSorted()).toEqual([
      "busy",
      "busy",
      "busy",
      "busy",
      "granted",
    ]);
  });
});

test("no card fails more often within 30 days than its network allows, whatever is tried when", async () => {
  const anyTries = fc.array(
    fc.record({ number: fc.integer({ min: 1, max: 5 }), hours: fc.integer({ min: 0, max: 200 }) }),
    {
      maxLength: 25,
    },
  );
  await fc.assert(
    fc.asyncProperty(anyTries, async (tries) => {
      await newCustomer();
      let at = start;
      for (const [attempt, { number, hours }] of tries.entries()) {
        at = instantOfEpochMs(at + hours * 3_600_000);
        const answer = await claim(number, attempt + 1, at);
        if (answer.status === "granted") await end(number, attempt + 1, "declined");
        else expect(answer.status === "withheld" && answer.until !== null && answer.until > at).toBe(true);
      }
      const [most] = await owner.sql<{ count: number }[]>`
        select coalesce(max(within), 0)::int as count from billing.card_attempt as last cross join lateral (
          select count(*) as within from billing.card_attempt where customer_id = ${customerId}
            and attempted_at > last.attempted_at - interval '30 days' and attempted_at <= last.attempted_at
        ) as counted where customer_id = ${customerId}`;
      expect(most?.count, `at ${isoOf(at)}`).toBeLessThanOrEqual(limit.attemptsMax);
    }),
    { numRuns: 25 },
  );
});
