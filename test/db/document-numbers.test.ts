import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { nextNumber } from "../../src/db/billing/document-numbers.ts";
import { setSeller } from "../../src/db/billing/seller.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { defaultNumbering, type SellerDetails } from "../../src/domain/invoicing/document/index.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 6 });
  ending.push(drop, () => db.close());
  const terms = {
    currency: "usd",
    timeZone: "UTC",
    testClockId: null,
    createdAt: instant("2026-01-01T00:00:00Z"),
  };
  for (const id of ["acme", "bolt"]) await insertCustomer(db.orm, { id, name: id, email: id, ...terms });
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const nothingElse = { name: "S", addressLines: [], email: null, website: null, taxId: null, footer: null };

async function sell(numbering: SellerDetails["numbering"]): Promise<void> {
  const by = { setBy: "api-key/admin", setAt: instant("2026-01-01T00:00:00Z") };
  await inTransaction(db, (tx) => setSeller(tx, { ...nothingElse, numbering }, by));
}

const undone = new Error("rolled back");

interface Issuer {
  readonly customerId: string;
  readonly year: number;
  readonly rollsBack: boolean;
}

/** The number it was issued under; null when its transaction was rolled back after it had one. */
async function issue({ customerId, year, rollsBack }: Issuer): Promise<string | null> {
  try {
    return await inTransaction(db, async (tx) => {
      const issuedAt = instant(`${year}-06-01T00:00:00Z`);
      const { number } = await nextNumber(tx, "invoice", { customerId, issuedAt });
      if (rollsBack) throw undone;
      return number;
    });
  } catch (error) {
    if (error !== undone) throw error;
    return null;
  }
}

const anyIssuers = fc.array(
  fc.record({
    customerId: fc.constantFrom("acme", "bolt"),
    year: fc.constantFrom(2026, 2027),
    rollsBack: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** By what comes before the count. */
function series(numbers: readonly string[]): Map<string, number[]> {
  const split = numbers.map((number) => /^(.*)-(\d+)$/.exec(number) ?? []);
  const grouped = Map.groupBy(split, ([, start]) => start ?? "");
  return new Map(
    [...grouped].map(([start, of]) => [
      start,
      of.map(([, , count]) => Number(count)).toSorted((a, b) => a - b),
    ]),
  );
}

test.each(["customer", "year"] as const)(
  "a series of the %s has no gap and no number twice, whoever issues at once and whoever rolls back",
  async (kind) => {
    const issued: string[] = [];
    let run = 0;
    await fc.assert(
      fc.asyncProperty(anyIssuers, async (issuers) => {
        // Prefixes of their own, so that each run counts from one; customers count on.
        await sell({ series: kind, prefix: `R${run++}` });
        const numbers = (await Promise.all(issuers.map(issue))).filter((number) => number !== null);
        issued.push(...numbers);
        expect(numbers).toHaveLength(issuers.filter(({ rollsBack }) => !rollsBack).length);
        for (const [, counts] of series(issued)) expect(counts).toEqual(counts.map((_, index) => index + 1));
      }),
      { numRuns: 25 },
    );
    expect(
      issued.every((number) =>
        (kind === "year" ? /^R\d+-202[67]-\d{6}$/ : /^(ACME|BOLT)-\d{4}$/).test(number),
      ),
    ).toBe(true);
  },
);

test("credit notes count for themselves", async () => {
  await sell({ ...defaultNumbering, series: "year", prefix: "CN" });
  const at = { customerId: "acme", issuedAt: instant("2026-12-31T23:59:59Z") };
  const numbers = await inTransaction(db, async (tx) => [
    (await nextNumber(tx, "invoice", at)).number,
    (await nextNumber(tx, "credit_note", at)).number,
    (await nextNumber(tx, "credit_note", at)).number,
  ]);
  expect(numbers).toEqual(["CN-2026-000001", "CN-CN-2026-000001", "CN-CN-2026-000002"]);
});

test("the database lets a series go up by one only, from one", async () => {
  await expect(db.sql`insert into billing.number_series values ('mine', 2)`).rejects.toThrow(
    "goes up by one",
  );
  await db.sql`insert into billing.number_series values ('mine', 1)`;
  await expect(
    db.sql`update billing.number_series set last_number = 3 where series = 'mine'`,
  ).rejects.toThrow("goes up by one");
});
