import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import {
  checkInvariants,
  checkInvariantsIn,
  compareWithStripe,
  type InvariantOptions,
  type InvariantReport,
} from "../../src/db/invariants/invariants.ts";
import { fileSealStore } from "../../src/db/seals/ledger-seals.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { sealAll } from "../support/seals.ts";
import { lookAt, openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import { tellBilledStory } from "./billed-story.ts";
import { type Damage, damages, entry } from "./invariant-damages.ts";
import { damagesToAdjustments } from "./invariant-damages-to-adjustments.ts";
import { damagesToCredit } from "./invariant-damages-to-credit.ts";
import { damagesToInvoices } from "./invariant-damages-to-invoices.ts";
import { damagesToMoneyOut } from "./invariant-damages-to-money-out.ts";
import { damagesToPromotions } from "./invariant-damages-to-promotions.ts";
import { damagesToStates } from "./invariant-damages-to-states.ts";

let db: Database;
let superuser: Database;
let stripe: Stripe;
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  superuser = await openAsSuperuser(db);
  const story = await tellBilledStory(db);
  stripe = story.stripe;
  ending.push(story.close, drop, () => Promise.all([db.close(), superuser.close()]));
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

/** The reports after a damage, as the application would read them. The damage is undone. */
function reportsAfter({ sql, triggersRun }: Pick<Damage, "sql" | "triggersRun">, options?: InvariantOptions) {
  return lookAt(
    superuser,
    (tx) => (triggersRun ? tx.execute(sql) : withoutGuards(tx, sql)),
    async (tx) => {
      await tx.execute("set local role reckoner_app");
      return await checkInvariantsIn(tx, options, (await options?.seals?.last())?.number);
    },
  );
}

const brokenOf = (reports: readonly InvariantReport[]) =>
  reports.filter(({ holds }) => !holds).map(({ number }) => number);

describe("a story in which everything happens", () => {
  test("keeps V1 to V12, asked of the database and of Stripe", async () => {
    await expectInvariants(db, { stripe });
    const reports = await checkInvariants(db);
    expect(reports.map(({ number }) => number)).toEqual(
      Array.from({ length: 12 }, (_, index) => `V${index + 1}`),
    );
    for (const { statement, milliseconds } of reports) {
      expect(statement).toMatch(/\.$/);
      expect(milliseconds).toBeGreaterThan(0);
    }
  });

  test("has every kind of entry that is posted so far, so that no rule is kept for want of cases", async () => {
    const kinds = await db.sql<
      { kind: string }[]
    >`select distinct kind from ledger.journal_entry order by kind`;
    expect(kinds.map(({ kind }) => kind)).toEqual([
      "balance_transaction_recorded",
      "credits_burned",
      "customer_balance_applied",
      "goodwill_granted",
      "goodwill_withdrawn",
      "grant_adjusted",
      "grant_voided",
      "invoice_issued",
      "invoice_written_off",
      "late_usage_adjusted",
      "payment_succeeded",
      "prepaid_credits_funded",
      "promotional_credits_granted",
      "revenue_recognised",
      "usage_rated",
    ]);
  });

  test("takes what late usage takes off from the discount and the expense of the gifts that had paid: they were voided", async () => {
    const given = await db.sql`
      select account.code, amount / 100000000 as cents from ledger.posting as posting
      join ledger.journal_entry as entry on entry.id = posting.entry_id
      join ledger.account as account on account.id = posting.credit_account
      where entry.kind = 'late_usage_adjusted' and entry.customer_id = 'elm' order by account.code`;
    // 200 × 0.1 − 201 × 0.05 = 9.95 cents, which the last draws had paid.
    expect(given.map(({ code, cents }) => [code, Number(cents)])).toEqual([
      ["4900", 8],
      ["5200", 1.95],
    ]);
    const gifts =
      await db.sql`select balance from ledger.balance where customer_id = 'elm' and code = '2010'`;
    expect(gifts.map(({ balance }) => balance)).toEqual(["0", "0"]);
  });

  test("shows late usage that waits for the next closing, which breaks nothing", async () => {
    const { pending, holds } = (await checkInvariants(db))[7] ?? {};
    expect(holds).toBe(true);
    expect(pending?.map(({ row }) => row)).toMatchObject([{ subscription_id: "sub-acme" }]);
  });
});

describe("each damage is reported by the one invariant it breaks", () => {
  test.each([
    ...damages,
    ...damagesToAdjustments,
    ...damagesToCredit,
    ...damagesToInvoices,
    ...damagesToMoneyOut,
    ...damagesToPromotions,
    ...damagesToStates,
  ])("$broken: $what", async (damage) => {
    const reports = await reportsAfter(damage);
    expect(brokenOf(reports)).toEqual([damage.broken]);
    const rules = reports.flatMap(({ offending }) => offending.map(({ rule }) => rule));
    expect(rules).toContainEqual(expect.stringContaining(damage.rule));
  });

  test("the rows that are shown are the first ones", async () => {
    const reports = await reportsAfter({ sql: "update usage.window set count = count + 1" }, { rowsMax: 2 });
    expect(reports.flatMap(({ offending }) => offending)).toHaveLength(2);
  });

  test("what is within its limit breaks nothing", async () => {
    const stuck =
      "update stripe.operation set state = 'sent', finished_at = null, first_sent_at = now() - interval '19 hours'";
    expect(brokenOf(await reportsAfter({ sql: stuck }))).toEqual([]);
    expect(brokenOf(await reportsAfter({ sql: stuck }, { limits: { stripeOperation: 60 } }))).toEqual([
      "V12",
    ]);
  });

  test("a broken invariant fails a scenario with its rule and its rows", async () => {
    await expect(expectInvariants(db, { limits: { billing: -365 * 86_400 } })).rejects.toThrow(
      /V12 .*BROKEN.*every period is closed.*id=sub-acme/s,
    );
  });
});

describe("V7, asked of Stripe itself", () => {
  test("each balance transaction is in the ledger with its net and its fee", async () => {
    const { totals, differences, pending } = await compareWithStripe(db.orm, stripe);
    expect({ differences, pending }).toEqual({ differences: [], pending: [] });
    const [usd] = totals;
    expect(usd?.ledgerNet).toBe(usd?.stripeNet);
    expect(usd?.ledgerFees).toBe(usd?.stripeFees);
    expect(usd?.ledgerNet).toBeGreaterThan(0n);
  });

  test("what only the ledger knows is found", async () => {
    const made = entry(
      "balance_transaction_recorded",
      ["stripe_balance_transaction", "txn_made_up"],
      ["1000/usd", "5900/usd"],
    );
    const { differences } = await lookAt(
      superuser,
      (tx) => tx.execute(made),
      (tx) => compareWithStripe(tx, stripe),
    );
    expect(differences).toEqual([
      {
        balanceTransaction: "txn_made_up",
        currency: "usd",
        problem: "not at Stripe",
        atStripe: null,
        inLedger: [100_000_000n, 0n],
      },
    ]);
  });

  test("what only Stripe knows is pending while it is young, and then found", async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
    });
    expect(intent.status).toBe("succeeded");
    const old = await compareWithStripe(db.orm, stripe);
    expect(old.differences).toMatchObject([{ problem: "not in the ledger", inLedger: null }]);
    const young = await compareWithStripe(db.orm, stripe, 0);
    expect(young.differences).toEqual([]);
    expect(young.pending).toEqual(old.differences);
  });
});

describe("V5, with an external copy", () => {
  test("an entry that was changed after it was sealed is reported by V5 and no other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "seals-"));
    ending.push(() => rmSync(folder, { recursive: true }));
    const seals = fileSealStore(join(folder, "seals.jsonl"));
    await sealAll(db, seals);
    await expectInvariants(db, { seals });
    const changed = { sql: "update ledger.journal_entry set actor = 'eve' where id = 1" };
    const reports = await reportsAfter(changed, { seals });
    expect(brokenOf(reports)).toEqual(["V5"]);
    expect(reports[4]?.offending.map(({ row }) => row)).toMatchObject([
      { table: "journal_entry", key: "1", problem: "was changed", seal: 1 },
    ]);
    expect(brokenOf(await reportsAfter(changed))).toEqual(["V5"]);
  });
});
