import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SubscriptionRuleError } from "../../src/domain/invoicing/index.ts";
import {
  cancel,
  changePlan,
  changeQuantity,
  pause,
  resume,
  workflowIds,
} from "../../src/workflows/messages.ts";
import { acceptedUpdates, resultOf } from "./support/runs.ts";
import { detailsOf, type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { beginSubscription } from "./support/subscriptions.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const january = "2026-01-31T00:00:00.000Z";
const inJanuary = "2026-02-10T00:00:00.000Z";
const endOfFebruary = "2026-02-28T00:00:00.000Z";
const endOfMarch = "2026-03-31T00:00:00.000Z";

describe("activate", () => {
  test("opens the subscription and answers with its first period", async () => {
    const clock = await scene.startClock(january);
    const { answer } = await beginSubscription(scene, clock);
    expect(answer).toMatchObject({ status: "active", periodStart: january, periodEnd: endOfFebruary });
    expect(scene.standIns.steps()).toEqual(["openSubscription"]);
  });

  test("comes again with the same request: the same answer, opened once more in the database, which knows it", async () => {
    const clock = await scene.startClock(january);
    const { answer, activateAgain } = await beginSubscription(scene, clock);
    expect(await activateAgain()).toEqual(answer);
  });

  test("is refused by the rules with their code, and may be tried again", async () => {
    const refuse = () => {
      throw new SubscriptionRuleError("plan_not_found", 'there is no plan "gold"', "plan");
    };
    scene.standIns.on("openSubscription", refuse);
    const clock = await scene.startClock(january);
    const beginning = beginSubscription(scene, clock);
    await expect(beginning).rejects.toMatchObject({ code: "plan_not_found" });
  });

  test("issues an invoice for what is charged in advance: its collection is started", async () => {
    const invoiceId = scene.id("inv");
    const { standIns } = scene;
    const clock = await scene.startClock(january);
    standIns.on("payInvoice", async () => {
      await scene.paymentBooked(invoiceId, clock);
      return { status: "paid" };
    });
    const { answer } = await beginSubscription(scene, clock, { invoiceId });
    expect(answer.invoiceId).toBe(invoiceId);
    expect(await resultOf(scene.client, workflowIds.collection(invoiceId))).toBe("paid");
  });
});

describe("a command that the state does not allow is refused before anything is written", () => {
  test.each([
    { why: "not paused", before: [], command: resume, code: "subscription_not_paused" },
    { why: "paused already", before: [pause], command: pause, code: "subscription_paused" },
    {
      why: "backdated",
      before: [],
      command: pause,
      at: "2026-01-30T00:00:00.000Z",
      code: "subscription_change_backdated",
    },
  ])("$why: $code", async ({ before, command, at = inJanuary, code }) => {
    const clock = await scene.startClock(january);
    const { send, workflowId } = await beginSubscription(scene, clock);
    for (const earlier of before) await send(earlier, { at: inJanuary });
    const accepted = await acceptedUpdates(scene.client, workflowId);
    const steps = scene.standIns.steps();
    await expect(send(command, { at })).rejects.toMatchObject({ code });
    expect(await acceptedUpdates(scene.client, workflowId)).toBe(accepted);
    expect(scene.standIns.steps()).toEqual(steps);
  });

  test("canceled twice: subscription_already_canceling", async () => {
    const clock = await scene.startClock(january);
    const { send, workflowId } = await beginSubscription(scene, clock);
    await send(cancel, { at: inJanuary, when: "period_end" });
    const accepted = await acceptedUpdates(scene.client, workflowId);
    const again = send(cancel, { at: inJanuary, when: "period_end" });
    await expect(again).rejects.toMatchObject({ code: "subscription_already_canceling" });
    expect(await acceptedUpdates(scene.client, workflowId)).toBe(accepted);
  });
});

describe("the same request", () => {
  test("is answered with the same answer, and done once, on both sides of a period's end", async () => {
    const clock = await scene.startClock(january);
    const { send, workflowId } = await beginSubscription(scene, clock);
    const command = { requestId: "req_1", at: inJanuary, seats: 7 };
    const answer = await send(changeQuantity, command);
    expect(await send(changeQuantity, command)).toEqual(answer);

    const before = await runOf(workflowId);
    await clock.advance(endOfMarch);
    expect(await runOf(workflowId)).not.toBe(before);
    expect(await send(changeQuantity, command)).toEqual(answer);
    expect(scene.standIns.asked("applyChange")).toHaveLength(1);
  });

  test("sent at the same moment by two callers is done once", async () => {
    const clock = await scene.startClock(january);
    const { send } = await beginSubscription(scene, clock);
    const command = { requestId: "req_1", at: inJanuary, seats: 7 };
    const [one, other] = await Promise.all([send(changeQuantity, command), send(changeQuantity, command)]);
    expect(one).toEqual(other);
    expect(scene.standIns.asked("applyChange")).toHaveLength(1);
  });
});

describe("a change that the rules refuse", () => {
  test("comes back with its code and leaves the subscription as it was", async () => {
    const clock = await scene.startClock(january);
    const { send, standing } = await beginSubscription(scene, clock);
    scene.standIns.on("applyChange", () => {
      throw new SubscriptionRuleError("plan_currency_differs", "the plan is in another currency", "plan");
    });
    const change = { requestId: "req_1", at: inJanuary, planKey: "euro" };
    await expect(send(changePlan, change)).rejects.toMatchObject({ code: "plan_currency_differs" });
    expect(await standing()).toMatchObject({ planKey: "solo", status: "active", answered: [] });
    await clock.advance(endOfFebruary);
  });
});

describe("a change that cannot be booked at once", () => {
  test("is left to a run of its own, which the subscription says it waits for, and is answered when it is booked", async () => {
    const clock = await scene.startClock(january);
    const { send, subscriptionId, workflowId, standing } = await beginSubscription(scene, clock);
    const away = () => {
      throw new Error("the database is away");
    };
    const letGo = scene.standIns.hold("applyChange");
    scene.standIns.inTurn("applyChange", away, away, scene.standIns.behaviourOf("applyChange"));
    const changing = send(changePlan, { requestId: "upgrade", at: inJanuary, planKey: "team" });
    await until(() => scene.standIns.asked("applyChange").length === 3, "it is tried again");
    const proration = workflowIds.proration(subscriptionId, "upgrade");
    expect(await detailsOf(scene.client, workflowId)).toContain(`waits for \`${proration}\``);
    expect(await detailsOf(scene.client, proration)).toContain("is being worked out and booked");
    letGo();
    expect(await changing).toMatchObject({ changeId: "upgrade", effectiveAt: inJanuary });
    expect((await standing())?.planKey).toBe("team");
    expect(await detailsOf(scene.client, workflowId)).not.toContain("waits for");
  });
});

describe("the end of a period", () => {
  test("starts its billing cycle and the next period, month after month, from the original anchor day", async () => {
    const clock = await scene.startClock(january);
    const { subscriptionId, standing } = await beginSubscription(scene, clock);
    await clock.advance("2026-05-01T00:00:00.000Z");
    const starts = ["2026-01-31", "2026-02-28", "2026-03-31"].map((day) => `${day}T00:00:00.000Z`);
    const closed = scene.standIns.asked("closePeriod");
    expect(closed.map(({ periodStart }) => periodStart)).toEqual(starts);
    expect(closed.map(({ at }) => at)).toEqual([
      "2026-02-28T01:00:00.000Z",
      "2026-03-31T01:00:00.000Z",
      "2026-04-30T01:00:00.000Z",
    ]);
    expect(closed.every((input) => input.subscriptionId === subscriptionId)).toBe(true);
    expect(await standing()).toMatchObject({ periodIndex: 3 });
  });

  test("that is agreed to be the last ends the run, once its cycle has been started", async () => {
    const clock = await scene.startClock(january);
    const { send, workflowId, subscriptionId } = await beginSubscription(scene, clock);
    const answer = await send(cancel, { at: inJanuary, when: "period_end" });
    expect(answer).toMatchObject({ status: "active", effectiveAt: endOfFebruary });
    await clock.advance(endOfMarch);
    await resultOf(scene.client, workflowId);
    expect(scene.standIns.asked("endSubscription")).toEqual([{ subscriptionId, at: endOfFebruary }]);
    expect(scene.standIns.asked("closePeriod").map(({ periodStart }) => periodStart)).toEqual([january]);
    await expect(send(pause, { at: endOfMarch })).rejects.toMatchObject({ code: "workflow_ended" });
  });
});

test("canceled now: the period is cut there, closed, and the run ends", async () => {
  const clock = await scene.startClock(january);
  const { send, workflowId } = await beginSubscription(scene, clock);
  await clock.advance(inJanuary);
  const answer = await send(cancel, { at: inJanuary, when: "now" });
  expect(answer).toMatchObject({ status: "canceled", effectiveAt: inJanuary });
  await resultOf(scene.client, workflowId);
  await clock.advance(endOfMarch);
  expect(scene.standIns.asked("closePeriod")).toMatchObject([
    { periodStart: january, at: "2026-02-10T01:00:00.000Z" },
  ]);
});

describe("a command that races the period's end", () => {
  test("being worked on when it comes, lands before: the cycle starts only then", async () => {
    const clock = await scene.startClock(january);
    const { send, standing, workflowId } = await beginSubscription(scene, clock);
    const letGo = scene.standIns.hold("applyChange");
    const changing = send(changeQuantity, { at: inJanuary, seats: 7 });
    await until(() => scene.standIns.steps().includes("applyChange"), "the change is worked on");
    await scene.gateway.advanceTestClock(clock.id, "2026-04-01T00:00:00.000Z");
    const clockSays = () => detailsOf(scene.client, workflowIds.testClock(clock.id));
    const isWoken = async () => (await clockSays()).includes(`waits for \`wake:${workflowId}`);
    await until(isWoken, "the period's end has come, and the subscription was told so", clockSays);
    expect(scene.standIns.asked("moveTestClock").map(({ now }) => now)).toEqual([january, endOfFebruary]);
    expect(scene.standIns.asked("startBillingCycle")).toEqual([]);
    letGo();
    await changing;
    await until(() => scene.standIns.asked("closePeriod").length === 2, "two periods are closed");
    expect(await standing()).toMatchObject({ periodIndex: 2 });
    expect(scene.standIns.steps()).toEqual(["openSubscription", "applyChange", "closePeriod", "closePeriod"]);
  });

  test("dated after it but come before it was noticed, lands after: both periods are closed", async () => {
    const clock = await scene.startClock(january);
    const { send, workflowId } = await beginSubscription(scene, clock);
    const at = "2026-02-28T00:00:00.050Z";
    expect(await send(cancel, { at, when: "now" })).toMatchObject({ status: "canceled", effectiveAt: at });
    await resultOf(scene.client, workflowId);
    await clock.advance(endOfMarch);
    const closed = scene.standIns.asked("closePeriod").map(({ periodStart }) => periodStart);
    expect(closed).toEqual([january, endOfFebruary]);
  });

  test("waiting for its turn behind one that ends the subscription, is refused", async () => {
    const clock = await scene.startClock(january);
    const { send } = await beginSubscription(scene, clock);
    const letGo = scene.standIns.hold("applyChange");
    const canceling = send(cancel, { at: inJanuary, when: "now" });
    await until(() => scene.standIns.steps().includes("applyChange"), "the cancellation is worked on");
    const changing = send(changeQuantity, { at: inJanuary, seats: 7 });
    const refused = expect(changing).rejects.toMatchObject({ code: "subscription_canceled" });
    letGo();
    await canceling;
    await refused;
    expect(scene.standIns.asked("applyChange")).toHaveLength(1);
  });
});

test("a period that has a billing cycle already, of the net for missed wake-ups, gets no second one", async () => {
  const clock = await scene.startClock(january);
  const { subscriptionId, customerId, standing } = await beginSubscription(scene, clock);
  const [periodStart, periodEnd] = [january, endOfFebruary];
  const period = { subscriptionId, customerId, periodStart, periodEnd, graceSeconds: 7200 };
  await scene.gateway.startBillingCycle({ ...period, clock: clock.reading() });
  await clock.advance(endOfMarch);
  expect(await standing()).toMatchObject({ periodIndex: 2, status: "active" });
  expect(scene.standIns.asked("closePeriod").map((closed) => closed.periodStart)).toEqual([january]);
});

async function runOf(workflowId: string): Promise<string> {
  return (await scene.client.workflow.getHandle(workflowId).describe()).runId;
}
