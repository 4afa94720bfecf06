import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { derivedId } from "../../src/db/idempotency.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** A payment part whose behaviour each test sets; it counts how often it was called. */
const payments = {
  calls: 0,
  behave: async (): Promise<void> => {},
  attachPaymentMethod: async ({ requestId }: { requestId: string }) => {
    payments.calls++;
    await payments.behave();
    return { id: requestId, brand: "visa", last4: "4242", expMonth: 12, expYear: 2030 };
  },
  openSetupPage: () => Promise.reject(new Error("not here")),
  openPortalPage: () => Promise.reject(new Error("not here")),
};

let api: RunningApi;
beforeAll(async () => {
  api = await startApi({ payments });
  await api.call("POST", "/v1/customers", {
    id: "acme",
    name: "Acme",
    email: "a@acme.test",
    currency: "usd",
  });
});
afterAll(() => api.stop());

const path = "/v1/customers/acme/payment-methods";
const attach = (idempotencyKey: string | null, token = "pm_card_visa", options = {}) =>
  api.call("POST", path, { token }, { idempotencyKey, ...options });

function behaveAs(behave: () => Promise<void>): void {
  payments.calls = 0;
  payments.behave = behave;
}

describe("a write under an Idempotency-Key", () => {
  test("is done once, and repeated byte for byte", async () => {
    behaveAs(async () => {});
    const first = await attach("once");
    const second = await attach("once");
    expect(first.status).toBe(201);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    expect(payments.calls).toBe(1);
  });

  test("is the same request whatever the order of its fields", async () => {
    const values = { name: "Order", email: "o@order.test", currency: "usd" };
    const first = await api.call("POST", "/v1/customers", values, { idempotencyKey: "order" });
    const reordered = Object.fromEntries(Object.entries(values).reverse());
    const second = await api.call("POST", "/v1/customers", reordered, { idempotencyKey: "order" });
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(second.text).toBe(first.text);
  });

  test.each([
    { why: "another body", again: () => attach("reused", "pm_card_mastercard") },
    {
      why: "another path",
      again: () =>
        api.call(
          "POST",
          "/v1/customers/beta/payment-methods",
          { token: "pm_card_visa" },
          { idempotencyKey: "reused" },
        ),
    },
    {
      why: "another route",
      again: () =>
        api.call("POST", "/v1/api-keys", { name: "x", scopes: ["read"] }, { idempotencyKey: "reused" }),
    },
  ])("is refused with $why", async ({ again }) => {
    behaveAs(async () => {});
    await attach("reused");
    const answer = await again();
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([
      409,
      "idempotency_key_reused",
      "Idempotency-Key",
    ]);
    expect(payments.calls).toBeLessThanOrEqual(1);
  });

  test("belongs to one caller: another key of the API with the same Idempotency-Key is another write", async () => {
    behaveAs(async () => {});
    const mine = await attach("shared");
    const theirs = await attach("shared", "pm_card_visa", { key: await api.newKey(["write"]) });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect(payments.calls).toBe(2);
  });

  test("of 20 at the same time one is done; the others are told to come back, and then get its answer", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    behaveAs(() => held);
    const all = Array.from({ length: 20 }, () => attach("at-once"));
    // 19 are answered while the first still works, so they cannot have been done.
    const early: { status: number; body: { code: string } }[] = [];
    await new Promise<void>((resolve) => {
      for (const one of all) one.then((answer) => early.push(answer) === 19 && resolve());
    });
    expect(new Set(early.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
      new Set(["409 idempotency_in_progress"]),
    );
    release();
    const answers = await Promise.all(all);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.find(({ status }) => status === 409)?.headers.get("retry-after")).toBe("1");
    const later = await attach("at-once");
    expect([later.status, later.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect(payments.calls).toBe(1);
  });

  test("that was refused is not kept: the same key may carry a corrected body", async () => {
    behaveAs(async () => {});
    const refused = await attach("corrected", "");
    expect([refused.status, refused.body.code]).toEqual([400, "request_invalid"]);
    const unknown = await api.call(
      "POST",
      "/v1/customers/nobody/payment-methods",
      { token: "x" },
      { idempotencyKey: "corrected" },
    );
    expect([unknown.status, unknown.body.code]).toEqual([404, "customer_not_found"]);
    expect((await attach("corrected")).status).toBe(201);
    expect(payments.calls).toBe(1);
  });

  test("that failed with unknown effect may be repeated as it was, gets the same ids, and takes no other body", async () => {
    behaveAs(async () => {
      if (payments.calls === 1) throw new Error("the connection broke");
    });
    const failed = await attach("fails-once");
    expect([failed.status, failed.body.code]).toEqual([500, "internal_error"]);
    expect((await attach("fails-once", "pm_other")).body.code).toBe("idempotency_key_reused");
    const repeated = await attach("fails-once");
    expect(repeated.status).toBe(201);
    const [{ actor = "" } = {}] = await api.db
      .sql`select actor from access.idempotency_key where key = 'fails-once'`;
    expect(repeated.body.id).toBe(derivedId("pmr", actor, "fails-once"));
    expect(payments.calls).toBe(2);
  });

  test("of a process that died is taken over after its claim has ended, not before", async () => {
    behaveAs(async () => {
      throw new Error("died");
    });
    await attach("died");
    const owner = postgres(api.ownerUrl, { max: 1 });
    try {
      await owner`update access.idempotency_key set claimed_until = clock_timestamp() + interval '1 hour' where key = 'died'`;
      behaveAs(async () => {});
      expect((await attach("died")).body.code).toBe("idempotency_in_progress");
      await owner`update access.idempotency_key set claimed_until = clock_timestamp() - interval '1 second' where key = 'died'`;
      expect((await attach("died")).status).toBe(201);
    } finally {
      await owner.end();
    }
  });

  test("is kept for ever: its answer cannot be changed or removed, not even by the owner of the table", async () => {
    behaveAs(async () => {});
    await attach("kept");
    const owner = postgres(api.ownerUrl, { max: 1 });
    try {
      await expect(owner`delete from access.idempotency_key where key = 'kept'`).rejects.toThrow(/refused/);
      await expect(owner`update access.idempotency_key set status = 500 where key = 'kept'`).rejects.toThrow(
        /refused/,
      );
      await expect(owner`truncate access.idempotency_key`).rejects.toThrow(/refused/);
    } finally {
      await owner.end();
    }
  });
});

describe("the header", () => {
  test.each([
    { key: null, code: "idempotency_key_missing" },
    { key: "", code: "idempotency_key_missing" },
    { key: "two words", code: "idempotency_key_invalid" },
    { key: "x".repeat(256), code: "idempotency_key_invalid" },
  ])("$key is refused as $code, before the body is looked at", async ({ key, code }) => {
    const answer = await api.call("POST", path, { wrong: true }, { idempotencyKey: key });
    expect([answer.status, answer.body.code]).toEqual([400, code]);
  });

  test("may be 255 characters long", async () => {
    behaveAs(async () => {});
    expect((await attach("y".repeat(255))).status).toBe(201);
  });
});

test("ids made from a key differ by prefix, caller and key, and are always the same", () => {
  const id = derivedId("cus", "key_1", "a");
  expect(id).toMatch(/^cus_[0-9A-Za-z]{22}$/);
  expect(derivedId("cus", "key_1", "a")).toBe(id);
  const others = [
    derivedId("crg", "key_1", "a"),
    derivedId("cus", "key_2", "a"),
    derivedId("cus", "key_1", randomUUID()),
  ];
  expect(new Set([id, ...others].map((text) => text.slice(4))).size).toBe(4);
});
