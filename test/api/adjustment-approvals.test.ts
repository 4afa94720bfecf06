import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { adjusting, refusal } from "./support/adjusting.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
const { person, customer, grant, balance, adjust, voidGrant, decide, detail, grants, postings } = adjusting(
  () => api,
);

beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await expectInvariants(api.db);
  await api.stop();
});

/** Sets the time of customers on a clock of their own. */
async function clockAt(id: string, at: string): Promise<void> {
  await insertAsOwner(
    api.ownerUrl,
    `insert into billing.test_clock (id, current_at, target_at) values ('${id}', '${at}', '${at}')
      on conflict (id) do update set current_at = excluded.current_at, target_at = excluded.target_at`,
  );
}

describe("the limit", () => {
  test.each([
    { code: "usd", most: "50000", more: "50001", limit: "50000", why: "500.00 USD" },
    { code: "jpy", most: "50000", more: "50001", limit: "50000", why: "50000 JPY, which has no decimals" },
    { code: "kwd", most: "500000", more: "500001", limit: "500000", why: "500.000 KWD, which has three" },
  ])("up to $why one key may do alone, and not a minor unit more", async ({ code, most, more, limit }) => {
    const [alone, above] = [await customer(code), await customer(code)];
    expect((await balance(alone, most, await person("write"))).body.status).toBe("executed");
    const waiting = await balance(above, more, await person("write"));
    expect([waiting.status, waiting.body]).toMatchObject([
      202,
      {
        status: "pending_approval",
        currency: code,
        effective_at: null,
        approval: { limit_minor: limit, counted_minor: more, needed: true },
      },
    ]);
    expect(await postings(above)).toEqual([]);
  });

  test("in a currency without one everything needs a second key", async () => {
    const waiting = await balance(await customer("eur"), "1", await person("write"));
    expect([waiting.status, waiting.body.approval]).toEqual([
      202,
      { limit_minor: null, counted_minor: "1", needed: true },
    ]);
  });

  test("holds for every kind, and in both directions", async () => {
    const id = await customer();
    const [key, finance] = [await person("write"), await person("approve")];
    const given = await grant(id, "60000", key, { kind: "goodwill", expires_at: "2027-01-01T00:00:00Z" });
    expect([given.status, given.body.kind]).toEqual([202, "grant_credit"]);
    expect(await grants(id)).toEqual([]);
    expect((await decide(given.body.id, "approve", finance)).status).toBe(200);
    const grantId = given.body.credit_grant;
    expect(await grants(id)).toMatchObject([
      {
        id: grantId,
        kind: "goodwill",
        status: "active",
        amount_minor: "60000",
        expires_at: "2027-01-01T00:00:00.000Z",
      },
    ]);
    for (const asked of [
      await adjust(grantId, "50001", key),
      await adjust(grantId, "-50001", key),
      await voidGrant(grantId, key),
    ])
      expect([asked.status, asked.body.status]).toEqual([202, "pending_approval"]);
  });
});

describe("parts add up", () => {
  test("of one key, for one customer: the part above the limit waits, a smaller one need not", async () => {
    const [key, id] = [await person("write"), await customer()];
    const statusOf = async (amount: string) => (await balance(id, amount, key)).body.status;
    expect(await statusOf("30000")).toBe("executed");
    expect(await statusOf("-20000")).toBe("executed");
    const waiting = await balance(id, "1", key);
    expect(waiting.body.approval).toEqual({ limit_minor: "50000", counted_minor: "50001", needed: true });
    expect((await balance(id, "1", await person("write"))).body.status).toBe("executed");
    expect((await balance(await customer(), "50000", key)).body.status).toBe("executed");
  });

  test("what somebody else has seen, or has not happened, does not count", async () => {
    const [key, id] = [await person("write"), await customer()];
    const finance = await person("approve");
    const [agreed, refused] = [await balance(id, "50001", key), await balance(id, "50001", key)];
    await decide(agreed.body.id, "approve", finance);
    await decide(refused.body.id, "reject", finance);
    expect((await balance(id, "50000", key)).body.approval.counted_minor).toBe("50000");
  });

  test("until 24 hours have passed, by the customer's clock", async () => {
    await clockAt("day", "2026-03-01T00:00:00Z");
    const [key, id] = [await person("write"), await customer("usd", "day")];
    const countedAt = async (at: string) => {
      await clockAt("day", at);
      return (await balance(id, "10000", key)).body.approval.counted_minor;
    };
    expect(await countedAt("2026-03-01T00:00:00Z")).toBe("10000");
    expect(await countedAt("2026-03-01T23:59:59.999Z")).toBe("20000");
    expect(await countedAt("2026-03-02T00:00:00Z")).toBe("20000");
    expect(await countedAt("2026-03-02T23:59:59.999Z")).toBe("20000");
    expect(await countedAt("2026-03-05T00:00:00Z")).toBe("10000");
  });
});

describe("a decision", () => {
  const waiting = async (amount = "50001") => {
    const [key, id] = [await person("write", "approve"), await customer()];
    const { body } = await balance(id, amount, key);
    return { key, id, adjustment: body.id as string };
  };

  test("to approve executes it, in the name of who agreed", async () => {
    const { id, adjustment } = await waiting();
    const approved = await decide(adjustment, "approve", await person("approve"));
    expect([approved.status, approved.body]).toMatchObject([
      200,
      {
        status: "executed",
        effective_at: "2026-03-01T12:00:00.000Z",
        decision: { outcome: "approved", note: "seen" },
      },
    ]);
    expect(await postings(id)).toEqual(["5200 → 2200 50001"]);
    const { decided_by: approver } = approved.body.decision;
    expect(approver).not.toBe(approved.body.requested_by);
    expect((await detail(adjustment)).entries).toMatchObject([
      { actor: approver, source_key: `adjustment/${adjustment}` },
    ]);
  });

  test("to reject says why, and nothing is ever booked", async () => {
    const { id, adjustment } = await waiting();
    const finance = await person("approve");
    const path = `/v1/adjustments/${adjustment}/reject`;
    const without = await api.call("POST", path, {}, { key: finance });
    expect([without.body.code, without.body.field]).toEqual(["request_invalid", "note"]);
    expect((await decide(adjustment, "reject", finance)).body.status).toBe("rejected");
    expect(refusal(await decide(adjustment, "approve", finance))).toBe("409 adjustment_not_pending");
    expect(await postings(id)).toEqual([]);
  });

  test("to withdraw is for who asked, and for nobody else", async () => {
    const { key, adjustment } = await waiting();
    expect(refusal(await decide(adjustment, "withdraw", await person("write")))).toBe("403 requester_only");
    const withdrawn = await decide(adjustment, "withdraw", key);
    expect([withdrawn.status, withdrawn.body.status]).toEqual([200, "withdrawn"]);
  });

  test("is never that of who asked, whatever their key may do", async () => {
    const { key, id, adjustment } = await waiting();
    expect(refusal(await decide(adjustment, "approve", key))).toBe("403 approver_is_requester");
    expect(refusal(await decide(adjustment, "reject", key))).toBe("403 approver_is_requester");
    expect(await detail(adjustment)).toMatchObject({ status: "pending_approval", entries: [] });
    expect(await postings(id)).toEqual([]);
  });

  test("needs the right to decide, which nobody has by the way", async () => {
    const { adjustment } = await waiting();
    for (const scope of ["read", "write", "usage:write", "admin"] as const) {
      expect(refusal(await decide(adjustment, "approve", await person(scope)))).toBe("403 scope_missing");
      expect(refusal(await decide(adjustment, "reject", await person(scope)))).toBe("403 scope_missing");
    }
    const finance = await person("approve");
    expect(refusal(await balance(await customer(), "1", finance))).toBe("403 scope_missing");
    expect(refusal(await decide(adjustment, "withdraw", finance))).toBe("403 scope_missing");
    expect((await api.call("GET", "/v1/adjustments", undefined, { key: finance })).status).toBe(200);
  });

  test("is only about what waits", async () => {
    const [key, finance] = [await person("write"), await person("approve")];
    const { body } = await balance(await customer(), "1", key);
    for (const decision of ["approve", "reject"] as const) {
      const refused = await decide(body.id, decision, finance);
      expect(refusal(refused)).toBe("409 adjustment_not_pending");
      expect(refused.body.detail).toBe("it is executed and needed no approval");
    }
    expect(refusal(await decide(body.id, "withdraw", key))).toBe("409 adjustment_not_pending");
    expect(refusal(await decide("nothing", "approve", finance))).toBe("404 adjustment_not_found");
  });

  test("made again by the same key changes nothing", async () => {
    const { id, adjustment } = await waiting();
    const finance = await person("approve");
    const first = await decide(adjustment, "approve", finance);
    expect((await decide(adjustment, "approve", finance)).body).toEqual(first.body);
    expect(refusal(await decide(adjustment, "approve", await person("approve")))).toBe(
      "409 adjustment_not_pending",
    );
    expect(await postings(id)).toHaveLength(1);
  });
});

describe("an approval of what cannot be done any more is refused, and the request goes on waiting", () => {
  test("until the money is there again", async () => {
    const [key, other, id] = [await person("write"), await person("write"), await customer()];
    const finance = await person("approve");
    const credit = await balance(id, "60000", key);
    await decide(credit.body.id, "approve", finance);
    const debit = await balance(id, "-60000", key);
    expect((await detail(debit.body.id)).obstacle).toBeNull();
    await balance(id, "-1", other);
    const refused = await decide(debit.body.id, "approve", finance);
    expect([refusal(refused), refused.body.detail]).toEqual([
      "409 customer_balance_insufficient",
      "the customer's balance holds 599.99 USD",
    ]);
    expect(await detail(debit.body.id)).toMatchObject({
      status: "pending_approval",
      decision: null,
      entries: [],
      obstacle: { code: "customer_balance_insufficient", detail: "the customer's balance holds 599.99 USD" },
    });
    await balance(id, "1", other);
    expect((await decide(debit.body.id, "approve", finance)).body.status).toBe("executed");
    expect((await postings(id)).at(-1)).toBe("2200 → 5200 60000");
  });

  test("for good when the grant was voided", async () => {
    const { id, key, finance, grantId } = await largeGrant();
    const raise = await adjust(grantId, "50001", key);
    const lower = await adjust(grantId, "-50001", key);
    const taken = await voidGrant(grantId, key);
    expect((await decide(taken.body.id, "approve", finance)).status).toBe(200);
    for (const asked of [raise, lower])
      expect(refusal(await decide(asked.body.id, "approve", finance))).toBe("409 credit_grant_voided");
    expect((await decide(raise.body.id, "withdraw", key)).status).toBe(200);
    expect(await grants(id)).toMatchObject([{ status: "voided", adjusted_minor: "0" }]);
  });

  test("when a grant that is to be voided holds more than who approves was told", async () => {
    const { id, key, finance, grantId } = await largeGrant();
    const taken = await voidGrant(grantId, key);
    const other = await person("write");
    await adjust(grantId, "1", other);
    expect(refusal(await decide(taken.body.id, "approve", finance))).toBe("409 credit_grant_changed");
    await adjust(grantId, "-2", other);
    expect((await decide(taken.body.id, "approve", finance)).body).toMatchObject({
      status: "executed",
      change_minor: "-60000",
    });
    expect((await postings(id)).at(-1)).toBe("2010 → 1300 59999");
  });

  test("when credit would have expired before anybody could spend it", async () => {
    await clockAt("slow", "2026-03-01T00:00:00Z");
    const [key, id] = [await person("write"), await customer("usd", "slow")];
    const given = await grant(id, "60000", key, { expires_at: "2026-03-02T00:00:00Z" });
    await clockAt("slow", "2026-03-02T00:00:00Z");
    const finance = await person("approve");
    expect(refusal(await decide(given.body.id, "approve", finance))).toBe("409 credit_grant_expired");
    expect(await grants(id)).toEqual([]);
    expect(await detail(given.body.id)).toMatchObject({
      grant: null,
      obstacle: { code: "credit_grant_expired" },
    });
  });

  async function largeGrant() {
    const [key, finance, id] = [await person("write"), await person("approve"), await customer()];
    const given = await grant(id, "60000", key);
    await decide(given.body.id, "approve", finance);
    return { id, key, finance, grantId: given.body.credit_grant as string };
  }
});

test("lists show the newest first, by state, customer, kind and who asked", async () => {
  const [key, id] = [await person("write"), await customer()];
  const first = (await balance(id, "300", key)).body;
  const waiting = (await balance(id, "50000", key)).body;
  const last = (await balance(id, "-100", key)).body;
  const idsOf = async (query: string) => {
    const { body } = await api.call("GET", `/v1/adjustments?customer=${id}${query}`);
    return body.data.map((shown: { id: string }) => shown.id).toSorted();
  };
  const all = [first, waiting, last].map((shown) => shown.id).toSorted();
  expect(await idsOf("")).toEqual(all);
  expect(await idsOf("&status=pending_approval")).toEqual([waiting.id]);
  expect(await idsOf("&status=executed&kind=debit_balance")).toEqual([last.id]);
  expect(await idsOf(`&actor=${first.requested_by}`)).toEqual(all);
  expect(await idsOf("&actor=api-key/nobody")).toEqual([]);

  const paged: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const { body } = await api.call("GET", `/v1/adjustments?customer=${id}&limit=2${from}`);
    paged.push(...body.data.map((shown: { id: string }) => shown.id));
    cursor = body.next_cursor;
  }
  expect(paged).toEqual(all.toReversed());
});
