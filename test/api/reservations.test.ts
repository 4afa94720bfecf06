import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { receiptSchema, reservationSchema } from "../../src/api/routes/reservation-schemas.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { inTransaction } from "../../src/db/database.ts";
import { expireReservations } from "../../src/db/entitlements/stored-reservations.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type ReservationApi, startReservationApi } from "./support/reservation-api.ts";

// The wall clock of the API is at 2026-03-01T12:00:00Z; a token put out costs 0.1 cents.
let api: ReservationApi;
beforeAll(async () => {
  api = await startReservationApi();
});
afterAll(() => api.stop());

const organisation = { type: "organisation" };
const team = (key: string) => ({ type: "team", key });
const user = (key: string) => ({ type: "user", key });

describe("reserve and settle", () => {
  test("holds the worst case at every level, and settles with what it cost", async () => {
    await api.subscribe("acme");
    await api.cap("acme", { spender: organisation, amount_minor: "1000" });
    const { status, body } = await api.reserve("r1", "acme", 5_000, { user: "u1", ttl_seconds: 60 });
    expect(status).toBe(200);
    expect(reservationSchema.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      granted: true,
      status: "open",
      held_minor: "500", // 5,000 × 0.1
      placed_at: "2026-03-01T12:00:00.000Z",
      expires_at: "2026-03-01T12:01:00.000Z",
      charges: [{ plan: "agents", plan_version: 1, price: "output", quantity: "5000", amount_minor: "500" }],
      denied_by: null,
    });
    const denied = await api.reserve("r2", "acme", 5_001, { user: "u2" });
    expect(denied.body).toMatchObject({
      granted: false,
      status: "denied",
      denied_by: {
        reason: "cap_reached",
        level: "organisation",
        holder: "acme",
        limit_minor: "1000",
        spent_minor: "0",
        held_minor: "500",
        left_minor: "500",
        asked_minor: "500.1",
        resets_at: "2026-04-01T00:00:00.000Z",
      },
    });
    const settled = await api.call("POST", "/v1/reservations/r1/settle", {
      data: { model: "small", input: 1_000, cached: 400, output: 2_000 },
    });
    expect(settled.status).toBe(200);
    expect(receiptSchema.parse(settled.body)).toEqual(settled.body);
    expect(settled.body).toMatchObject({
      outcome: "completed",
      late: false,
      cost_minor: "212.8", // 600 × 0.02 + 400 × 0.002 + 2,000 × 0.1
      held_minor: "500",
      charges: [
        { price: "input", quantity: "600", amount_minor: "12" },
        { price: "cached", quantity: "400", amount_minor: "0.8" },
        { price: "output", quantity: "2000", amount_minor: "200" },
      ],
    });
    expect((await api.reserve("r2", "acme", 7_872)).body).toMatchObject({ granted: true }); // 1000 − 212.8 = 787.2
    expect((await api.reserve("r3", "acme", 1)).body).toMatchObject({ granted: false });
  });

  test("the same id is the same request; another request is refused", async () => {
    await api.subscribe("twice");
    const [one, other] = await Promise.all([
      api.reserve("t1", "twice", 10, { user: "u" }),
      api.reserve("t1", "twice", 10, { user: "u" }),
    ]);
    expect([one.body.granted, other.body.granted, other.body.held_minor]).toEqual([true, true, "1"]);
    expect((await api.reserve("t1", "twice", 11, { user: "u" })).body.code).toBe("reservation_id_reused");
    const settled = await Promise.all([api.settle("t1", 7), api.settle("t1", 7)]);
    expect(settled.map(({ body }) => body.cost_minor)).toEqual(["0.7", "0.7"]);
    const otherwise = await api.settle("t1", 8);
    expect([otherwise.status, otherwise.body.code]).toEqual([409, "reservation_settled"]);
    const [counted] = await api.db.sql`select count(*)::int as events from usage.event where id = 't1'`;
    expect(counted?.events).toBe(1);
    expect((await api.reserve("t1", "twice", 10, { user: "u" })).body).toMatchObject({
      granted: true,
      status: "settled",
      receipt: { cost_minor: "0.7" },
    });
    expect((await api.settle("nothing", 1)).status).toBe(404);
  });

  test("a failed request costs nothing and says what it used; a released one never ran; a canceled one costs what it used", async () => {
    await api.subscribe("failing");
    await api.cap("failing", { spender: organisation, amount_minor: "100" });
    for (const id of ["f1", "f2", "f3"]) await api.reserve(id, "failing", 300);
    expect((await api.reserve("f4", "failing", 300)).body.granted).toBe(false);
    const failed = await api.settle("f1", 250, "failed");
    expect(failed.body).toMatchObject({
      outcome: "failed",
      cost_minor: "0",
      used: { output: 250 },
      charges: [],
    });
    const released = await api.call("POST", "/v1/reservations/f2/release", {});
    expect(released.body).toMatchObject({ outcome: "released", cost_minor: "0" });
    expect((await api.settle("f3", 20, "canceled")).body).toMatchObject({
      outcome: "canceled",
      cost_minor: "2",
    });
    expect((await api.reserve("f4", "failing", 980)).body.granted).toBe(true);
    const { body } = await api.call("GET", "/v1/customers/failing/receipts");
    expect(body.data.map(({ id, cost_minor }: Record<string, string>) => `${id} ${cost_minor}`)).toEqual([
      "f3 2",
      "f2 0",
      "f1 0",
    ]);
    const events = await api.db.sql`select id from usage.event where id like 'f%'`;
    expect(events.map(({ id }) => id)).toEqual(["f3"]);
  });

  test("what cannot be known ahead is refused, with what to do", async () => {
    await api.subscribe("tiers", "tiered");
    const refused = await api.reserve("x1", "tiers", 10);
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([
      422,
      "price_not_reservable",
      "event",
    ]);
    const event = { type: "nothing", data: {} };
    expect((await api.reserve("x2", "tiers", 10, { event })).body.code).toBe("reservation_not_measured");
    expect((await api.reserve("x3", "nobody", 10)).body.code).toBe("customer_not_found");
  });
});

describe("the tree", () => {
  test("three at once for the last 0.60: one is granted, two are denied with the level", async () => {
    await api.subscribe("last");
    await api.place("last", { spender: user("u1"), below: team("t") });
    await api.cap("last", { spender: organisation, amount_minor: "10000" });
    await api.cap("last", { spender: team("t"), amount_minor: "1000" });
    await api.reserve("last/0".replace("/", "-"), "last", 9_400, { user: "u1" });
    await api.settle("last-0", 9_400);
    const asked = await Promise.all(
      ["a", "b", "c"].map((name) => api.reserve(`last-${name}`, "last", 600, { user: "u1" })),
    );
    const granted = asked.filter(({ body }) => body.granted);
    expect(granted).toHaveLength(1);
    for (const { body } of asked.filter(({ body }) => !body.granted)) {
      expect(body.denied_by).toMatchObject({
        level: "team",
        holder: "t",
        limit_minor: "1000",
        spent_minor: "940",
        held_minor: "60",
        left_minor: "0",
      });
    }
  });

  test("every level denies: a user, his team, the organisation, and the pool of who pays", async () => {
    await Promise.all(["parent", "child", "sibling"].map((id) => api.subscribe(id)));
    for (const child of ["child", "sibling"]) {
      const below = { type: "customer", id: "parent" };
      expect((await api.place(child, { spender: organisation, below })).status).toBe(201);
    }
    await api.place("child", { spender: user("u"), below: team("t") });
    await api.cap("parent", { spender: organisation, amount_minor: "40" });
    await api.cap("child", { spender: organisation, amount_minor: "30" });
    await api.cap("child", { spender: team("t"), amount_minor: "20" });
    await api.cap("child", { spender: organisation, each_user: true, amount_minor: "10" });
    const levelOf = async (customer: string, id: string, cents: number, name: string) => {
      const { body } = await api.reserve(id, customer, cents * 10, { user: name });
      return body.granted ? "granted" : body.denied_by.level;
    };
    expect(await levelOf("child", "l1", 11, "u")).toBe("user");
    expect(await levelOf("child", "l2", 10, "u")).toBe("granted");
    await api.place("child", { spender: user("v"), below: team("t") });
    expect(await levelOf("child", "l3", 10, "v")).toBe("granted");
    await api.place("child", { spender: user("w"), below: team("t") });
    expect(await levelOf("child", "l4", 1, "w")).toBe("team");
    expect(await levelOf("child", "l5", 10, "elsewhere")).toBe("granted");
    expect(await levelOf("child", "l6", 1, "another")).toBe("organisation");
    expect(await levelOf("sibling", "l7", 10, "u")).toBe("granted");
    expect(await levelOf("sibling", "l8", 1, "u")).toBe("pool");
  });

  test("nobody is below himself, nor below a team of another customer", async () => {
    await api.subscribe("circle");
    await api.place("circle", { spender: team("a"), below: team("b") });
    const circle = await api.place("circle", { spender: team("b"), below: team("a") });
    expect([circle.status, circle.body.code]).toEqual([422, "spender_placement_invalid"]);
    const pool = await api.place("circle", { spender: user("u"), below: { type: "customer", id: "circle" } });
    expect(pool.body.code).toBe("spender_placement_invalid");
  });
});

describe("caps over time", () => {
  test("a cap that is set in mid-window counts what was spent and is held in it; a raise is on top until it is ended", async () => {
    await api.subscribe("capped");
    await api.reserve("c1", "capped", 100, { user: "u" });
    await api.settle("c1", 100);
    await api.reserve("c2", "capped", 200, { user: "u" });
    await api.cap("capped", { spender: organisation, amount_minor: "50" });
    const denied = await api.reserve("c3", "capped", 201);
    expect(denied.body.denied_by).toMatchObject({ spent_minor: "10", held_minor: "20", left_minor: "20" });
    const raise = await api.cap("capped", {
      spender: organisation,
      kind: "raise",
      amount_minor: "5",
      expires_at: "2026-03-02T00:00:00Z",
    });
    expect((await api.reserve("c3", "capped", 201)).body.granted).toBe(true);
    await api.settle("c2", 0);
    await api.call("POST", `/v1/spending-caps/${raise.body.id}/end`, {});
    const after = await api.reserve("c4", "capped", 200);
    expect(after.body.denied_by).toMatchObject({ limit_minor: "50", spent_minor: "10", held_minor: "20.1" });
    await api.cap("capped", { spender: organisation, amount_minor: "60" });
    expect((await api.reserve("c4", "capped", 200)).body.granted).toBe(true);
    const { body } = await api.call("GET", "/v1/customers/capped/spending-caps");
    expect(body.data).toHaveLength(3);
  });

  test("what expires goes back; settled after that it is booked, and late", async () => {
    await api.subscribe("slow");
    await api.cap("slow", { spender: organisation, amount_minor: "10" });
    await api.reserve("s1", "slow", 100, { ttl_seconds: 1 });
    await api.reserve("s2", "slow", 1, { ttl_seconds: 10 });
    const expire = (at: string) =>
      api.db.sql`select billing.expire_reservations(${at}::text::timestamptz, 100) as expired`;
    expect((await api.reserve("s2", "slow", 100)).body.granted).toBe(false);
    expect([...(await expire("2026-03-01T12:00:01Z"))]).toEqual([{ expired: 1 }]);
    expect((await api.call("GET", "/v1/reservations/s1")).body).toMatchObject({ status: "expired" });
    expect((await api.reserve("s2", "slow", 40, { ttl_seconds: 10 })).body.granted).toBe(true);
    const extended = await api.call("POST", "/v1/reservations/s2/extend", { ttl_seconds: 100 });
    expect(extended.body.expires_at).toBe("2026-03-01T12:01:40.000Z");
    const gone = await api.call("POST", "/v1/reservations/s1/extend", { ttl_seconds: 100 });
    expect([gone.status, gone.body.code]).toEqual([409, "reservation_not_open"]);
    expect([...(await expire("2026-03-01T12:00:11Z"))]).toEqual([{ expired: 0 }]);
    expect((await api.settle("s1", 90)).body).toMatchObject({ late: true, cost_minor: "9" });
    const denied = await api.reserve("s3", "slow", 1);
    expect(denied.body.denied_by).toMatchObject({ spent_minor: "9", held_minor: "4", left_minor: "0" });
  });

  test("five hours from first use beside a month: the window opens when somebody asks, stays, and begins anew", async () => {
    const at = (text: string) => {
      const currentAt = instant(`2026-02-20T${text}Z`);
      return { currentAt, targetAt: currentAt, isSettled: true };
    };
    await insertTestClock(api.db.orm, "first-use", at("10:10:00").currentAt);
    await api.subscribe("hours", "agents", "first-use");
    const fiveHours = { type: "first_use", length: { unit: "hour", count: 5 } };
    await api.cap("hours", { spender: organisation, each_user: true, amount_minor: "10", window: fiveHours });
    await api.cap("hours", { spender: organisation, amount_minor: "25" });
    await api.reserve("h1", "hours", 100, { user: "u" });
    await api.settle("h1", 100);
    await moveTestClock(api.db.orm, "first-use", at("15:09:59"));
    expect((await api.reserve("h2", "hours", 1, { user: "u" })).body.denied_by).toMatchObject({
      ...{ level: "user", spent_minor: "10", resets_at: "2026-02-20T15:10:00.000Z" },
    });
    expect((await api.reserve("h2", "hours", 1, { user: "v" })).body.granted).toBe(true);
    await moveTestClock(api.db.orm, "first-use", at("15:10:00"));
    expect((await api.reserve("h3", "hours", 100, { user: "u" })).body.granted).toBe(true);
    expect((await api.reserve("h4", "hours", 50, { user: "w" })).body.denied_by.level).toBe("organisation");
  });

  test("on a test clock, what was reserved before a change of plan costs what it did then, and expires by that clock", async () => {
    const at = (text: string) => {
      const currentAt = instant(`2026-02-20T${text}Z`);
      return { currentAt, targetAt: currentAt, isSettled: true };
    };
    await insertTestClock(api.db.orm, "clock", at("10:00:00").currentAt);
    await api.subscribe("clocked", "agents", "clock");
    await api.cap("clocked", {
      spender: organisation,
      amount_minor: "100",
      window: { type: "billing_cycle" },
    });
    const reserved = await api.reserve("k1", "clocked", 100);
    expect(reserved.body).toMatchObject({ placed_at: "2026-02-20T10:00:00.000Z", held_minor: "10" });
    await api.reserve("k2", "clocked", 100);
    await api.db.sql`
      insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
      values ('sub-clocked', '2026-02-20T11:00:00Z', 'change', '[{"planKey": "dearer", "planVersion": 1, "seats": 1}]', false)`;
    await moveTestClock(api.db.orm, "clock", at("12:00:00"));
    expect((await api.reserve("k3", "clocked", 100)).body).toMatchObject({
      held_minor: "50", // 100 × 0.5
      charges: [{ plan: "dearer" }],
    });
    expect((await api.settle("k1", 80)).body).toMatchObject({
      cost_minor: "8",
      charges: [{ plan: "agents" }],
    });
    const denied = await api.reserve("k4", "clocked", 100);
    expect(denied.body.denied_by).toMatchObject({
      spent_minor: "8",
      held_minor: "60",
      resets_at: "2026-03-10T00:00:00.000Z",
    });
    await inTransaction(api.db, (tx) => expireReservations(tx, instant("2026-02-01T00:00:00Z")));
    expect((await api.call("GET", "/v1/reservations/k2")).body.status).toBe("expired");
    expect((await api.settle("k2", 70)).body).toMatchObject({ late: true, cost_minor: "7" });
    expect((await api.settle("k3", 100)).body.cost_minor).toBe("50");
    await expectInvariants(api.db, { limits: { billing: 1e9, hold: 1e9 } });
  });
});
