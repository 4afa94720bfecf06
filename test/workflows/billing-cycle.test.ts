import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BillingCycleInput, workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { detailsOf, type Scene, type SceneClock, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const periodStart = "2026-04-01T00:00:00.000Z";
const periodEnd = "2026-05-01T00:00:00.000Z";

async function startCycle(clock: SceneClock, change: Partial<BillingCycleInput> = {}) {
  const period = { subscriptionId: scene.id("sub"), customerId: scene.id("cus"), periodStart, periodEnd };
  const input = { ...period, graceSeconds: 7200, clock: clock.reading(), ...change };
  await scene.gateway.startBillingCycle(input);
  return { ...input, workflowId: workflowIds.billingCycle(input.subscriptionId, periodStart) };
}

test("waits the grace for late usage and closes the period at that instant", async () => {
  const clock = await scene.startClock(periodEnd);
  const { workflowId, subscriptionId } = await startCycle(clock);
  await clock.advance("2026-05-01T01:59:59.999Z");
  expect(scene.standIns.steps()).toEqual([]);
  await clock.advance("2026-05-01T02:00:00.000Z");
  expect(scene.standIns.asked("closePeriod")).toEqual([
    { subscriptionId, periodStart, at: "2026-05-01T02:00:00.000Z" },
  ]);
  expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
});

test("a period that ended long ago is closed at once, at the clock's instant", async () => {
  const clock = await scene.startClock("2026-06-01T00:00:00.000Z");
  const { workflowId } = await startCycle(clock);
  expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
  expect(scene.standIns.asked("closePeriod")).toMatchObject([{ at: "2026-06-01T00:00:00.000Z" }]);
});

describe("usage that is still to come", () => {
  const waiting = (until: string) => ({
    outcome: "waiting" as const,
    until,
    giveUpAt: "2026-05-01T08:00:00.000Z",
    completeUntil: "2026-04-30T23:10:00.000Z",
    source: "gateway",
    meterKey: "tokens",
  });
  const closed = { outcome: "closed" as const, invoiceId: null, collect: false };
  const askedAt = () => scene.standIns.asked("closePeriod").map(({ at }) => at);

  test("is waited for, at the instants that the close names, until it is closed", async () => {
    const clock = await scene.startClock(periodEnd);
    scene.standIns.inTurn(
      "closePeriod",
      () => waiting("2026-05-01T02:01:00.000Z"),
      () => waiting("2026-05-01T02:03:30.000Z"),
      () => closed,
    );
    const { workflowId } = await startCycle(clock);
    await clock.advance("2026-05-02T00:00:00.000Z");
    expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
    expect(askedAt()).toEqual([
      "2026-05-01T02:00:00.000Z",
      "2026-05-01T02:01:00.000Z",
      "2026-05-01T02:03:30.000Z",
    ]);
  });

  test("is named to the operator: which source, which meter, until when", async () => {
    const clock = await scene.startClock(periodEnd);
    scene.standIns.inTurn(
      "closePeriod",
      () => waiting("2026-05-01T03:00:00.000Z"),
      () => closed,
    );
    const { workflowId } = await startCycle(clock);
    await clock.advance("2026-05-01T02:30:00.000Z");
    const details = await detailsOf(scene.client, workflowId);
    for (const said of [
      "**tokens**",
      "`gateway`",
      "**2026-04-30T23:10:00.000Z**",
      "closed as it is 2026-05-01T08",
    ]) {
      expect(details).toContain(said);
    }
    await clock.advance("2026-05-01T03:00:00.000Z");
    expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
  });

  test("is waited for on the wall clock too", async () => {
    scene.standIns.inTurn(
      "closePeriod",
      ({ at }) => waiting(new Date(Date.parse(at) + 300).toISOString()),
      () => closed,
    );
    await scene.gateway.startBillingCycle({
      subscriptionId: scene.id("sub"),
      customerId: scene.id("cus"),
      periodStart,
      periodEnd,
      graceSeconds: 0,
      clock: null,
    });
    await until(() => askedAt().length === 2, "the close was asked again");
    const [first = "", second = ""] = askedAt();
    expect(Date.parse(second) - Date.parse(first)).toBeGreaterThanOrEqual(300);
  });
});

describe("an invoice", () => {
  async function closingWith(clock: SceneClock, outcome: "closed" | "closed_before") {
    const invoiceId = scene.id("inv");
    scene.standIns.on("closePeriod", () => ({ outcome, invoiceId, collect: true }));
    scene.standIns.on("payInvoice", async () => {
      await scene.paymentBooked(invoiceId, clock);
      return { status: "paid" };
    });
    return invoiceId;
  }

  test("is collected once, and time goes on when it is paid", async () => {
    const clock = await scene.startClock(periodEnd);
    await closingWith(clock, "closed");
    const { workflowId } = await startCycle(clock);
    await clock.advance("2026-05-02T00:00:00.000Z");
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
    expect(scene.standIns.steps()).toEqual(["closePeriod", "collectInvoice", "payInvoice"]);
  });

  test("of a period that somebody else closed is collected all the same: the other may have died", async () => {
    const clock = await scene.startClock("2026-06-01T00:00:00.000Z");
    await closingWith(clock, "closed_before");
    const { workflowId } = await startCycle(clock);
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
  });

  test("that is being collected elsewhere is the same first attempt here, and holds up no clock", async () => {
    const clock = await scene.startClock("2026-06-01T00:00:00.000Z");
    const invoiceId = await closingWith(clock, "closed");
    const customerId = scene.id("cus");
    await scene.gateway.startCollection({
      invoiceId,
      customerId,
      subscriptionId: null,
      clock: clock.reading(),
    });
    const { workflowId } = await startCycle(clock);
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
    await clock.advance("2026-06-02T00:00:00.000Z");
    const charges = scene.standIns.asked("payInvoice");
    expect(charges.map(({ invoiceId: charged, attempt }) => [charged, attempt])).toEqual([
      [invoiceId, 1],
      [invoiceId, 1],
    ]);
  });
});
