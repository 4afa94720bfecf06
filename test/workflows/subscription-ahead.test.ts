import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  cancel,
  changePlan,
  changeQuantity,
  pause,
  uncancel,
  withdrawScheduled,
  workflowIds,
} from "../../src/workflows/messages.ts";
import { acceptedUpdates, resultOf } from "./support/runs.ts";
import { type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { nothingApplied } from "./support/stand-ins.ts";
import { beginSubscription } from "./support/subscriptions.ts";

/** What was agreed for later, and what races it: the run makes each thing once, in the order of time. */
let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
beforeEach(() => scene.standIns.reset());
afterAll(() => scene.close());

const january = "2026-01-31T00:00:00.000Z";
const inJanuary = "2026-02-10T00:00:00.000Z";
const date = "2026-02-15T00:00:00.000Z";
const endOfFebruary = "2026-02-28T00:00:00.000Z";
const march = "2026-03-05T00:00:00.000Z";

async function begin() {
  const clock = await scene.startClock(january);
  return { clock, ...(await beginSubscription(scene, clock)) };
}

test("with the next period: made before the period is handed over, in the run after continue-as-new too", async () => {
  const { clock, send, standing, subscriptionId } = await begin();
  const at = "2026-03-31T00:00:00.000Z";
  const answer = await send(changeQuantity, { requestId: "later", at: inJanuary, seats: 7, when: { at } });
  expect(answer).toMatchObject({ effectiveAt: at, scheduled: "later", invoiceId: null });
  await clock.advance("2026-03-30T00:00:00.000Z");
  expect(await standing()).toMatchObject({ periodIndex: 1, dueAt: at });
  await clock.advance("2026-04-01T00:00:00.000Z");
  expect(scene.standIns.asked("applyScheduled")).toEqual([{ subscriptionId, at }]);
  expect(scene.standIns.steps()).toEqual([
    "openSubscription",
    "scheduleChange",
    "closePeriod",
    "applyScheduled",
    "closePeriod",
  ]);
  expect(await standing()).toMatchObject({ periodIndex: 2, dueAt: null });
});

test("another anchor that it brings ends the period in course, and what it issued is collected", async () => {
  const { clock, send, standing } = await begin();
  const invoiceId = scene.id("inv");
  scene.standIns.on("payInvoice", async () => {
    await scene.paymentBooked(invoiceId, clock);
    return { status: "paid" };
  });
  const anchor = { at: date, unit: "year", count: 1, timeZone: "UTC", from: date, periodIndex: 0 } as const;
  scene.standIns.on("applyScheduled", () => ({
    ...nothingApplied,
    planKey: "yearly",
    kinds: ["change_plan"],
    anchor,
    issued: [{ invoiceId, collect: true }],
  }));
  await send(changePlan, { at: inJanuary, planKey: "yearly", when: { at: date } });
  await clock.advance(march);
  expect(await resultOf(scene.client, workflowIds.collection(invoiceId))).toBe("paid");
  expect(scene.standIns.asked("closePeriod")).toMatchObject([{ periodStart: january }]);
  expect(await standing()).toMatchObject({ planKey: "yearly", periodIndex: 0, anchor: { at: date } });
});

test("withdrawn, the run does not wake for it; an end that is taken back does not come", async () => {
  const { clock, send, standing } = await begin();
  await send(changeQuantity, { requestId: "later", at: inJanuary, seats: 7, when: { at: date } });
  await send(withdrawScheduled, { at: inJanuary, changeId: "later" });
  await send(cancel, { at: inJanuary, when: "period_end" });
  expect(await standing()).toMatchObject({ cancelAt: endOfFebruary, dueAt: null });
  await send(uncancel, { at: inJanuary });
  await clock.advance(march);
  expect(scene.standIns.asked("applyScheduled")).toEqual([]);
  expect(scene.standIns.asked("endSubscription")).toEqual([]);
  expect(await standing()).toMatchObject({ status: "active", cancelAt: null, periodIndex: 1 });
});

describe("refused before anything is written", () => {
  test.each([
    { why: "not ahead", when: { at: january }, code: "scheduled_change_not_ahead" },
    { why: "too far", when: { at: "2030-01-01T00:00:00.000Z" }, code: "scheduled_change_too_far_ahead" },
  ])("$why: $code", async ({ when, code }) => {
    const { send, workflowId } = await begin();
    const accepted = await acceptedUpdates(scene.client, workflowId);
    await expect(send(pause, { at: inJanuary, when })).rejects.toMatchObject({ code });
    expect(await acceptedUpdates(scene.client, workflowId)).toBe(accepted);
  });
});

describe("races", () => {
  test("a command dated at the instant of what is due finds it made", async () => {
    const { clock, send } = await begin();
    await send(changeQuantity, { at: inJanuary, seats: 7, when: { at: date } });
    await send(changeQuantity, { at: date, seats: 9 });
    await clock.advance(march);
    expect(scene.standIns.steps().slice(0, 4)).toEqual([
      "openSubscription",
      "scheduleChange",
      "applyScheduled",
      "applyChange",
    ]);
    expect(scene.standIns.asked("applyScheduled")).toHaveLength(1);
  });

  test("a pause at the boundary itself lands after what is due there, and after the boundary", async () => {
    const { clock, send, standing } = await begin();
    await send(changeQuantity, { at: inJanuary, seats: 7, when: "period_end" });
    await send(pause, { at: endOfFebruary });
    expect(await standing()).toMatchObject({ status: "paused", periodIndex: 1 });
    await clock.advance(march);
    expect(scene.standIns.steps()).toEqual([
      "openSubscription",
      "scheduleChange",
      "applyScheduled",
      "applyChange",
      "closePeriod",
    ]);
  });

  test("two changes at once, one for later: both are done, one after the other", async () => {
    const { send, standing } = await begin();
    const letGo = scene.standIns.hold("applyChange");
    const first = send(changeQuantity, { at: inJanuary, seats: 7 });
    await until(() => scene.standIns.steps().includes("applyChange"), "the first is worked on");
    const second = send(changeQuantity, { at: inJanuary, seats: 9, when: { at: date } });
    letGo();
    await Promise.all([first, second]);
    expect(scene.standIns.steps().slice(-2)).toEqual(["applyChange", "scheduleChange"]);
    expect(await standing()).toMatchObject({ dueAt: date });
  });

  test("an end inside the period comes before what was agreed for the same instant", async () => {
    const { clock, send, workflowId, subscriptionId } = await begin();
    await send(changeQuantity, { at: inJanuary, seats: 7, when: { at: date } });
    await send(cancel, { at: inJanuary, when: { at: date } });
    await clock.advance(march);
    await resultOf(scene.client, workflowId);
    expect(scene.standIns.asked("applyScheduled")).toEqual([]);
    expect(scene.standIns.asked("endSubscription")).toEqual([{ subscriptionId, at: date }]);
    expect(scene.standIns.asked("closePeriod")).toMatchObject([
      { periodStart: january, at: "2026-02-15T01:00:00.000Z" },
    ]);
  });
});

describe("a first payment", () => {
  test("that is not made in time ends the run, and the invoice is withdrawn", async () => {
    const invoiceId = scene.id("inv");
    const open = scene.standIns.behaviourOf("openSubscription");
    scene.standIns.on("payInvoice", () => ({
      status: "declined",
      declineCode: "none",
      declineClass: "hard",
    }));
    scene.standIns.on("openSubscription", async (input) => {
      const opened = await open(input);
      const firstPayment = { invoiceId, until: "2026-02-01T00:00:00.000Z" };
      return {
        invoiceId,
        collect: true,
        standing: { ...opened.standing, status: "incomplete", firstPayment },
      };
    });
    scene.standIns.inTurn(
      "settleActivation",
      () => ({ status: "incomplete" }),
      () => ({ status: "incomplete_expired" }),
    );
    const { clock, answer, workflowId, send } = await begin();
    expect(answer.status).toBe("incomplete");
    await expect(send(pause, { at: january })).rejects.toMatchObject({ code: "subscription_incomplete" });
    await clock.advance("2026-02-01T00:00:00.000Z");
    await resultOf(scene.client, workflowId);
    expect(scene.standIns.asked("voidInvoice")).toMatchObject([
      { invoiceId, at: "2026-02-01T00:00:00.000Z" },
    ]);
    expect(scene.standIns.asked("closePeriod")).toEqual([]);
  });
});
