import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grantsOfCustomer } from "../../src/db/billing/credit-grants.ts";
import { inTransaction } from "../../src/db/database.ts";
import { placeHolds } from "../../src/db/ledger/holds.ts";
import { accountBalance, closeAccountingPeriod, postEntries } from "../../src/db/ledger/ledger.ts";
import { reasonCodes } from "../../src/domain/adjustments/index.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { creditsBurned, promotionalCredits } from "../../src/domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../src/domain/money/index.ts";
import { lookAt, openAsSuperuser } from "../support/superuser.ts";
import { adjusting, refusal } from "./support/adjusting.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { buyCredit } from "./support/paid-credit.ts";
import { type RunningApi, startApi, wallClock } from "./support/running-api.ts";

let api: RunningApi;
const { person, customer, grant, balance, adjust, voidGrant, post, detail, grants, postings } = adjusting(
  () => api,
);

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe("each kind is one entry, by the key that asked for it", () => {
  test.each([
    { kind: "promotional", moves: "1300 → 2010 700" },
    { kind: "goodwill", moves: "5200 → 2010 700" },
  ])("a $kind grant: $moves", async ({ kind, moves }) => {
    const [key, id] = [await person("write"), await customer()];
    const given = await grant(id, "700", key, { kind, priority: 7, reason: "thank you" });
    expect([given.status, given.body]).toMatchObject([
      201,
      { kind, status: "active", priority: 7, reason_code: "promotion", reason: "thank you" },
    ]);
    expect(await postings(id)).toEqual([moves]);
    const { body } = await api.call("GET", `/v1/adjustments?customer=${id}`);
    const adjustment = await detail(body.data[0].id);
    expect(adjustment).toMatchObject({
      kind: "grant_credit",
      status: "executed",
      credit_grant: given.body.id,
      change_minor: "700",
      requested_by: expect.stringMatching(/^api-key\/key_/),
      effective_at: "2026-03-01T12:00:00.000Z",
      approval: { limit_minor: "50000", counted_minor: "700", needed: false },
      decision: null,
      obstacle: null,
      grant: given.body,
    });
    expect(adjustment.entries).toMatchObject([{ actor: adjustment.requested_by }]);
  });

  test.each([
    { change: "300", moves: "5200 → 2200 300", kind: "credit_balance" },
    { change: "-100", moves: "2200 → 5200 100", kind: "debit_balance" },
  ])("a balance changed by $change: $moves", async ({ change, moves, kind }) => {
    const [key, id] = [await person("write"), await customer()];
    await balance(id, "100", key);
    const changed = await balance(id, change, key);
    expect([changed.status, changed.body]).toMatchObject([
      201,
      { kind, change_minor: change, credit_grant: null },
    ]);
    expect((await postings(id)).slice(1)).toEqual([moves]);
    expect((await detail(changed.body.id)).entries).toHaveLength(1);
  });

  test.each([
    { kind: "promotional", change: "50", moves: "1300 → 2010 50", left: "550" },
    { kind: "promotional", change: "-50", moves: "2010 → 1300 50", left: "450" },
    { kind: "goodwill", change: "50", moves: "5200 → 2010 50", left: "550" },
    { kind: "goodwill", change: "-500", moves: "2010 → 5200 500", left: "0" },
  ])("a $kind grant changed by $change: $moves", async ({ kind, change, moves, left }) => {
    const [key, id] = [await person("write"), await customer()];
    const given = await grant(id, "500", key, { kind });
    const changed = await adjust(given.body.id, change, key);
    expect([changed.status, changed.body]).toMatchObject([
      201,
      { kind: "adjust_grant", change_minor: change },
    ]);
    expect((await postings(id)).slice(1)).toEqual([moves]);
    expect(await grants(id)).toMatchObject([
      { amount_minor: "500", adjusted_minor: change, remaining_minor: left },
    ]);
  });

  test.each([
    { kind: "promotional", moves: "2010 → 1300 500" },
    { kind: "goodwill", moves: "2010 → 5200 500" },
  ])("a voided $kind grant: $moves", async ({ kind, moves }) => {
    const [key, id] = [await person("write"), await customer()];
    const given = await grant(id, "500", key, { kind });
    const voided = await voidGrant(given.body.id, key);
    expect([voided.status, voided.body]).toMatchObject([201, { kind: "void_grant", change_minor: "-500" }]);
    expect((await postings(id)).slice(1)).toEqual([moves]);
    expect(await grants(id)).toMatchObject([
      { status: "voided", voided_at: "2026-03-01T12:00:00.000Z", remaining_minor: "0" },
    ]);
  });
});

describe("what was paid for stays the customer's", () => {
  const bought = async (amountMinor: bigint, isPaid = true) => {
    const id = await customer();
    await buyCredit(api.db, { grantId: `crg-${id}`, customerId: id, amountMinor, isPaid });
    return { id, grantId: `crg-${id}`, key: await person("write") };
  };

  test("a smaller grant and a voided one go to the balance, to the last fraction of a cent", async () => {
    const { id, grantId, key } = await bought(500n);
    const before = (await postings(id)).length;
    expect((await adjust(grantId, "-100", key)).status).toBe(201);
    await spend(id, grantId, "paid", 12_345_678n);
    expect((await voidGrant(grantId, key)).body.change_minor).toBe("-399.87654322");
    expect((await postings(id)).slice(before)).toEqual([
      "2000 → 2200 100",
      "2000 → 4000 0.12345678",
      "2000 → 2200 399.87654322",
    ]);
    // Whole cents can be taken back, and no more.
    expect(refusal(await balance(id, "-500", key))).toBe("409 customer_balance_insufficient");
    expect((await balance(id, "-499", key)).status).toBe(201);
  });

  test("it never gets larger", async () => {
    const { grantId, key } = await bought(500n);
    const refused = await adjust(grantId, "1", key);
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([
      422,
      "credit_grant_not_raisable",
      "change_minor",
    ]);
  });

  test("before it is paid for there is nothing to take", async () => {
    const { grantId, key } = await bought(500n, false);
    expect(refusal(await voidGrant(grantId, key))).toBe("409 credit_grant_unpaid");
    expect(refusal(await adjust(grantId, "-1", key))).toBe("409 credit_grant_unpaid");
  });
});

describe("a void is final", () => {
  test("it cannot be voided, raised or lowered again", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    await voidGrant(given.id, key);
    expect(refusal(await voidGrant(given.id, key))).toBe("409 credit_grant_voided");
    expect(refusal(await adjust(given.id, "5", key))).toBe("409 credit_grant_voided");
    expect(refusal(await adjust(given.id, "-5", key))).toBe("409 credit_grant_voided");
  });

  test("credit that a hand puts back into it can be neither spent nor seen as there to spend", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    const spendable = () => grantsOfCustomer(api.db.orm, id);
    expect(await spendable()).toMatchObject([{ id: given.id, remaining: 500_00000000n }]);
    await spend(id, given.id, "promotional", 1_00000000n);
    await voidGrant(given.id, key);
    expect(await spendable()).toEqual([]);
    const superuser = await openAsSuperuser(api.db);
    try {
      const usage = "4000/usd/product=tokens";
      const account = `2010/usd/customer=${id}/grant=${given.id}`;
      const restored = { ...byHand(id), postings: [{ debit: usage, credit: account, amount: "100000000" }] };
      const seen = await lookAt(
        superuser,
        (tx) => tx.execute(`select ledger.post_entries('[${JSON.stringify(restored)}]')`),
        async (tx) => ({
          held: await accountBalance(tx, promotionalCredits(id, given.id, currency("usd"))),
          spendable: await grantsOfCustomer(tx, id),
        }),
      );
      expect(seen).toEqual({ held: 1_00000000n, spendable: [] });
    } finally {
      await superuser.close();
    }
  });

  test("nothing is left to void of a grant that is used up", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "5", key);
    await spend(id, given.id, "promotional", 5_00000000n);
    expect(refusal(await voidGrant(given.id, key))).toBe("409 credit_grant_used_up");
    // It may be raised again: the same grant goes on.
    expect((await adjust(given.id, "3", key)).status).toBe(201);
    expect(await grants(id)).toMatchObject([{ status: "active", remaining_minor: "3" }]);
  });
});

describe("no more is taken than is there", () => {
  test("of a grant and of a balance", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    const refused = await adjust(given.id, "-501", key);
    expect(refusal(refused)).toBe("409 credit_grant_insufficient");
    expect(refused.body.detail).toBe("at most 5.00 USD can be taken from the grant");
    expect(refusal(await balance(id, "-1", key))).toBe("409 customer_balance_insufficient");
    expect(await postings(id)).toHaveLength(1);
    const { body } = await api.call("GET", `/v1/adjustments?customer=${id}`);
    expect(body.data).toHaveLength(1);
  });

  test("of what a running request has reserved", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    const account = promotionalCredits(id, given.id, currency("usd"));
    const hold = {
      sourceKey: `request/${id}`,
      customerId: id,
      currency: currency("usd"),
      cause: { type: "request", id },
      placedAt: wallClock,
      expiresAt: instant("2099-01-01T00:00:00Z"),
      lines: [{ account, amount: ledgerAmount(200_00000000n) }],
    };
    const placed = await inTransaction(api.db, (tx) => placeHolds(tx, [hold]));
    expect(placed).toMatchObject([{ status: "created" }]);
    expect(refusal(await voidGrant(given.id, key))).toBe("409 credit_grant_reserved");
    expect(refusal(await adjust(given.id, "-301", key))).toBe("409 credit_grant_insufficient");
    expect((await adjust(given.id, "-300", key)).status).toBe(201);
    expect(await grantsOfCustomer(api.db.orm, id)).toMatchObject([{ remaining: 0n }]);
  });

  test("of a grant that has expired", async () => {
    await insertAsOwner(
      api.ownerUrl,
      "insert into billing.test_clock (id, current_at, target_at) values ('old', '2026-01-01Z', '2026-01-01Z')",
    );
    const [key, id] = [await person("write"), await customer("usd", "old")];
    const { body: given } = await grant(id, "500", key, { expires_at: "2026-01-02T00:00:00Z" });
    await insertAsOwner(
      api.ownerUrl,
      "update billing.test_clock set current_at = '2026-01-02Z', target_at = '2026-01-02Z' where id = 'old'",
    );
    expect(refusal(await voidGrant(given.id, key))).toBe("409 credit_grant_expired");
    expect(refusal(await adjust(given.id, "1", key))).toBe("409 credit_grant_expired");
  });
});

describe("a request says why", () => {
  test.each(reasonCodes)("%s is a reason", async (reason_code) => {
    const [key, id] = [await person("write"), await customer()];
    const body = { change_minor: "1", reason_code, reason: "because" };
    const given = await post(`customers/${id}/balance-adjustments`, body, key);
    expect([given.status, given.body]).toMatchObject([201, { reason_code, reason: "because" }]);
  });

  test.each([
    { body: { change_minor: "1" }, field: "reason_code" },
    { body: { change_minor: "1", reason_code: "because" }, field: "reason_code" },
    { body: { change_minor: "1", reason_code: "other" }, field: "reason" },
    { body: { change_minor: "1", reason_code: "fraud", reason: "" }, field: "reason" },
    { body: { change_minor: "0", reason_code: "fraud" }, field: "change_minor" },
    { body: { change_minor: "1.5", reason_code: "fraud" }, field: "change_minor" },
    { body: { change_minor: "+1", reason_code: "fraud" }, field: "change_minor" },
    { body: { change_minor: 1, reason_code: "fraud" }, field: "change_minor" },
    { body: { change_minor: "1", reason_code: "fraud", currency: "usd" }, field: "currency" },
  ])("$body is refused at $field", async ({ body, field }) => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    for (const path of [`customers/${id}/balance-adjustments`, `credit-grants/${given.id}/adjustments`]) {
      const refused = await post(path, body, key);
      expect([refused.status, refused.body.code, refused.body.field]).toEqual([
        400,
        "request_invalid",
        field,
      ]);
    }
  });

  test("about something that exists", async () => {
    const key = await person("write");
    expect(refusal(await balance("nobody", "1", key))).toBe("404 customer_not_found");
    expect(refusal(await grant("nobody", "1", key))).toBe("404 customer_not_found");
    expect(refusal(await voidGrant("nothing", key))).toBe("404 credit_grant_not_found");
    expect(refusal(await adjust("nothing", "1", key))).toBe("404 credit_grant_not_found");
    expect((await detail("nothing")).code).toBe("adjustment_not_found");
  });
});

// The last one, because nothing opens a month again.
test("in a closed month an adjustment is booked at the beginning of the next, and keeps when it happened", async () => {
  const [key, id] = [await person("write"), await customer()];
  await inTransaction(api.db, (tx) => closeAccountingPeriod(tx, "2026-03-01", "finance"));
  const { body } = await balance(id, "100", key);
  expect(body).toMatchObject({ status: "executed", effective_at: "2026-03-01T12:00:00.000Z" });
  expect((await detail(body.id)).entries).toMatchObject([
    { occurred_at: "2026-03-01T12:00:00.000Z", effective_at: "2026-04-01T00:00:00.000Z" },
  ]);
});

function byHand(customerId: string) {
  return {
    source_key: `by hand/${customerId}`,
    kind: "proration_credited",
    occurred_at: "2026-03-01T12:00:00Z",
    effective_at: "2026-03-01T12:00:00Z",
    actor: "eve",
    cause_type: "whim",
    cause_id: customerId,
    customer_id: customerId,
    currency: "usd",
    metadata: {},
  };
}

/** As a closing spends it. */
async function spend(
  customerId: string,
  grantId: string,
  kind: "paid" | "promotional",
  amount: bigint,
): Promise<void> {
  const usd = currency("usd");
  const entry = creditsBurned({
    sourceKey: `cycle/${grantId}`,
    cycleId: grantId,
    customerId,
    currency: usd,
    occurredAt: wallClock,
    effectiveAt: wallClock,
    draws: [{ grantId, kind, productKey: "tokens", amount: ledgerAmount(amount) }],
  });
  const [posted] = await inTransaction(api.db, (tx) => postEntries(tx, entry === null ? [] : [entry]));
  expect(posted?.status).toBe("created");
}
