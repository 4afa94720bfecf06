import { InvariantViolation } from "../../../src/domain/errors.ts";
import { nudge } from "../../../src/temporal/nudge.ts";
import { finalise, taxGiven, tryAgain, workflowIds } from "../../../src/workflows/messages.ts";
import { resultOf, untilParked } from "../../workflows/support/runs.ts";
import { detailsOf, type Scene, type SceneClock, until } from "../../workflows/support/scene.ts";
import { april, paying, type Recorded } from "./recorded.ts";

export async function cycles(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const invoiceId = scene.id("inv");
  paying(scene, clock);
  scene.standIns.inTurn(
    "closePeriod",
    () => ({ outcome: "closed", invoiceId: null, collect: false }),
    () => ({ outcome: "closed", invoiceId, collect: true }),
    () => ({ outcome: "closed_before", invoiceId, collect: true }),
    () => {
      throw new InvariantViolation("the lines sum to the total");
    },
    () => ({ outcome: "closed", invoiceId: null, collect: false }),
  );
  const nothing = await startCycle(scene, clock);
  await resultOf(scene.client, nothing);
  const paid = await startCycle(scene, clock);
  await resultOf(scene.client, paid);
  const before = await startCycle(scene, clock);
  await resultOf(scene.client, before);
  const parked = await startCycle(scene, clock);
  await untilParked(scene.client, parked);
  await scene.client.workflow.getHandle(parked).signal(tryAgain);
  await resultOf(scene.client, parked);
  const invoice = { invoiceId, customerId: scene.id("cus"), subscriptionId: null };
  await scene.gateway.startCollection({ ...invoice, clock: clock.reading() });
  const collected = workflowIds.collection(invoiceId);
  await resultOf(scene.client, collected);
  return {
    "billing-cycle-nothing-to-collect": { workflowId: nothing },
    "billing-cycle-paid": { workflowId: paid },
    "billing-cycle-closed-before": { workflowId: before },
    "billing-cycle-parked": { workflowId: parked },
    "collection-test-clock": { workflowId: collected },
  };
}

export async function aCycleThatWaitsForUsage(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const waiting = { outcome: "waiting", completeUntil: "2026-03-31T20:00:00.000Z" } as const;
  const behind = { ...waiting, giveUpAt: "2026-04-01T06:00:00.000Z", source: "gateway", meterKey: "tokens" };
  scene.standIns.inTurn(
    "closePeriod",
    () => ({ ...behind, until: "2026-04-01T00:01:00.000Z" }),
    () => ({ ...behind, until: "2026-04-01T00:02:00.000Z" }),
    () => ({ outcome: "closed", invoiceId: null, collect: false }),
  );
  const workflowId = await startCycle(scene, clock);
  await clock.advance("2026-04-01T01:00:00.000Z");
  await resultOf(scene.client, workflowId);
  return { "billing-cycle-waiting-for-usage": { workflowId } };
}

/** Tax is given at last; and another, which is closed by hand. */
export async function cyclesThatWaitForTax(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const waiting = {
    outcome: "waiting",
    waitsFor: "tax",
    quote: "quote_1",
    until: "2026-04-02T00:00:00.000Z",
    overdueAt: "2026-04-01T12:00:00.000Z",
  } as const;
  const overdue = { ...waiting, until: "2026-04-03T00:00:00.000Z" } as const;
  const closed = { outcome: "closed", invoiceId: null, collect: false } as const;
  scene.standIns.inTurn(
    "closePeriod",
    () => waiting,
    () => closed,
    () => waiting,
    () => overdue,
    () => closed,
  );
  const given = await startCycle(scene, clock);
  const waits = (workflowId: string) =>
    until(
      async () => (await detailsOf(scene.client, workflowId)).includes("waits for the tax"),
      "it waits for tax",
    );
  await waits(given);
  await nudge(scene.client, given, { clock: clock.reading(), signal: taxGiven, cause: "tax" });
  await resultOf(scene.client, given);
  const finalised = await startCycle(scene, clock);
  await waits(finalised);
  await clock.advance("2026-04-02T00:00:00.000Z");
  await nudge(scene.client, finalised, { clock: clock.reading(), signal: finalise, cause: "by hand" });
  await resultOf(scene.client, finalised);
  return {
    "billing-cycle-tax-given": { workflowId: given },
    "billing-cycle-finalised": { workflowId: finalised },
  };
}

async function startCycle(scene: Scene, clock: SceneClock): Promise<string> {
  const period = {
    subscriptionId: scene.id("sub"),
    periodStart: "2026-03-01T00:00:00.000Z",
    periodEnd: april,
  };
  const input = { ...period, customerId: scene.id("cus"), graceSeconds: 0, clock: clock.reading() };
  await scene.gateway.startBillingCycle(input);
  return workflowIds.billingCycle(period.subscriptionId, period.periodStart);
}

export async function theNet(scene: Scene): Promise<Recorded> {
  scene.standIns.inTurn(
    "closeDuePage",
    () => ({ closed: 250, handedOver: 0, next: { dueAt: "2026-02-01T01:00:00Z", subscriptionId: "sub" } }),
    () => ({ closed: 7, handedOver: 1, next: null }),
  );
  scene.standIns.inTurn(
    "collectDuePage",
    () => ({ paid: 98, handedOver: 2, more: true }),
    () => ({ paid: 5, handedOver: 0, more: false }),
  );
  const [inLanes, onePage] = [scene.id("cycle-close"), scene.id("cycle-close")];
  const { taskQueue } = scene;
  const cast = (workflowId: string, lanes: number) =>
    scene.client.workflow.execute("cycleClose", { workflowId, taskQueue, args: [{ lanes }] });
  await cast(inLanes, 2);
  await cast(onePage, 2);
  return { "cycle-close-in-lanes": { workflowId: inLanes }, "cycle-close": { workflowId: onePage } };
}
