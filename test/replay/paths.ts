import { InvariantViolation } from "../../src/domain/errors.ts";
import { InvoiceNotVoidableError, SubscriptionRuleError } from "../../src/domain/invoicing/index.ts";
import {
  addAddOn,
  cancel,
  changePlan,
  changeQuantity,
  type DunningCommand,
  disputeChanged,
  dunningCommanded,
  pause,
  resume,
  tryAgain,
  workflowIds,
} from "../../src/workflows/messages.ts";
import { resultOf, untilParked } from "../workflows/support/runs.ts";
import { type Scene, type SceneClock, until } from "../workflows/support/scene.ts";
import { declined, dunningFacts } from "../workflows/support/stand-ins.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";
import { startSkipping } from "../workflows/support/time-skipping.ts";

/** Name of a history → the run that it is the history of; the first run when none is named. */
export type Recorded = Record<string, { readonly workflowId: string; readonly runId?: string }>;

/** What is played for the record: every workflow, on every way that it can take which matters. */
export const paths: readonly ((scene: Scene) => Promise<Recorded>)[] = [
  aSubscriptionWithEveryCommand,
  aSubscriptionThatIsPaidAndEnds,
  aSubscriptionOnTheWallClock,
  changes,
  cycles,
  aCycleThatWaitsForUsage,
  collections,
  dunningToTheEnd,
  dunningThatRecovers,
  dunningThatIsHeldUp,
  aPurchaseOfCredits,
  withdrawals,
  theNet,
];

const january = "2026-01-31T00:00:00.000Z";
const inJanuary = "2026-02-10T00:00:00.000Z";
const april = "2026-04-01T00:00:00.000Z";

async function aSubscriptionWithEveryCommand(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, workflowId, subscriptionId } = await beginSubscription(scene, clock);
  await send(changePlan, { at: inJanuary, planKey: "team", seats: 3 });
  await send(changeQuantity, { at: inJanuary, seats: 5 });
  await send(addAddOn, { at: inJanuary, planKey: "extra", seats: 1 });
  await send(pause, { at: inJanuary });
  await send(resume, { at: inJanuary });
  await scene.gateway.tellPaymentStanding(subscriptionId, clock.reading(), true, "past due");
  await scene.gateway.tellPaymentStanding(subscriptionId, clock.reading(), false, "recovered");
  const first = await runOf(scene, workflowId);
  await clock.advance("2026-03-01T00:00:00.000Z");
  const second = await runOf(scene, workflowId);
  await send(cancel, { at: "2026-03-01T00:00:00.000Z", when: "period_end" });
  await clock.advance("2026-05-01T00:00:00.000Z");
  return {
    "subscription-every-command": { workflowId, runId: first },
    "subscription-canceled-at-period-end": { workflowId, runId: second },
    "test-clock": { workflowId: workflowIds.testClock(clock.id) },
  };
}

async function aSubscriptionThatIsPaidAndEnds(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const invoiceId = scene.id("inv");
  paying(scene, clock);
  const { send, workflowId } = await beginSubscription(scene, clock, { invoiceId });
  await clock.advance(inJanuary);
  await send(cancel, { at: inJanuary, when: "now" });
  await resultOf(scene.client, workflowId);
  const waiting = await beginSubscription(scene, clock);
  return { "subscription-canceled-now": { workflowId }, "subscription-waiting": waiting };
}

async function aSubscriptionOnTheWallClock(scene: Scene): Promise<Recorded> {
  const subscriptionId = scene.id("sub");
  const workflowId = workflowIds.subscription(subscriptionId);
  await startSkipping(scene, "subscription", workflowId, {
    subscriptionId,
    customerId: scene.id("cus"),
    clock: null,
    standing: {
      status: "active",
      cancelAt: "2027-03-31T00:00:00.000Z",
      anchor: { at: "2027-01-31T00:00:00.000Z", unit: "month", count: 1, timeZone: "UTC" },
      graceSeconds: 3600,
      periodIndex: 0,
      planKey: "solo",
      answered: [],
    },
  });
  const first = await runOf(scene, workflowId);
  await resultOf(scene.client, workflowId);
  await until(() => scene.standIns.asked("closePeriod").length === 2, "both periods are closed");
  const cycle = workflowIds.billingCycle(subscriptionId, "2027-01-31T00:00:00.000Z");
  return {
    "subscription-wall-clock": { workflowId, runId: first },
    "subscription-wall-clock-last": { workflowId },
    "billing-cycle-wall-clock": { workflowId: cycle },
  };
}

async function changes(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, subscriptionId } = await beginSubscription(scene, clock);
  paying(scene, clock);
  const invoiceId = scene.id("inv");
  scene.standIns.inTurn(
    "applyChange",
    ({ at }) => ({ invoiceId, collect: true, effectiveAt: at }),
    () => {
      throw new SubscriptionRuleError("plan_not_found", "there is no such plan");
    },
  );
  await send(changePlan, { requestId: "upgrade", at: inJanuary, planKey: "team" });
  await send(changePlan, { requestId: "refused", at: inJanuary, planKey: "gold" }).catch(() => {});
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  return {
    "proration-invoiced": { workflowId: workflowIds.proration(subscriptionId, "upgrade") },
    "proration-refused": { workflowId: workflowIds.proration(subscriptionId, "refused") },
  };
}

async function cycles(scene: Scene): Promise<Recorded> {
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
  const elsewhere = await startCycle(scene, clock);
  await resultOf(scene.client, elsewhere);
  const parked = await startCycle(scene, clock);
  await untilParked(scene.client, parked);
  await scene.client.workflow.getHandle(parked).signal(tryAgain);
  await resultOf(scene.client, parked);
  return {
    "billing-cycle-nothing-to-collect": { workflowId: nothing },
    "billing-cycle-paid": { workflowId: paid },
    "billing-cycle-collected-elsewhere": { workflowId: elsewhere },
    "billing-cycle-parked": { workflowId: parked },
    "collection-test-clock": { workflowId: workflowIds.collection(invoiceId) },
  };
}

async function aCycleThatWaitsForUsage(scene: Scene): Promise<Recorded> {
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

async function collections(scene: Scene): Promise<Recorded> {
  const [told, asked] = [scene.id("inv"), scene.id("inv")];
  const rest = { customerId: scene.id("cus"), subscriptionId: null, clock: null };
  await scene.gateway.startCollection({ invoiceId: told, ...rest });
  await until(() => scene.standIns.asked("payInvoice").length === 1, "the invoice is charged");
  await scene.paymentBooked(told);
  await resultOf(scene.client, workflowIds.collection(told));
  await startSkipping(scene, "collection", workflowIds.collection(asked), { invoiceId: asked, ...rest });
  await resultOf(scene.client, workflowIds.collection(asked));
  return {
    "collection-told-by-webhook": { workflowId: workflowIds.collection(told) },
    "collection-asked-without-webhook": { workflowId: workflowIds.collection(asked) },
  };
}

async function dunningToTheEnd(scene: Scene): Promise<Recorded> {
  const { clock, invoiceId } = await failing(scene, "soft");
  await clock.advance("2026-05-01T00:00:00.000Z");
  await resultOf(scene.client, workflowIds.dunning(invoiceId));
  return {
    "collection-declined": { workflowId: workflowIds.collection(invoiceId) },
    "dunning-exhausted": { workflowId: workflowIds.dunning(invoiceId) },
  };
}

async function dunningThatRecovers(scene: Scene): Promise<Recorded> {
  const { clock, invoiceId } = await failing(scene, "hard");
  await scene.gateway.tellPaymentMethodUpdated(invoiceId, clock.reading(), "another bad card");
  await until(() => scene.standIns.asked("noteDunning").length === 2, "it waits again");
  paying(scene, clock);
  await scene.gateway.tellPaymentMethodUpdated(invoiceId, clock.reading(), "a good card");
  await resultOf(scene.client, workflowIds.dunning(invoiceId));

  const elsewhere = await failing(scene, "soft");
  await elsewhere.clock.advance("2026-04-04T12:00:00.000Z");
  scene.standIns.on("readInvoiceStatus", () => ({ status: "paid" }));
  await scene.paymentBooked(elsewhere.invoiceId, elsewhere.clock);
  await resultOf(scene.client, workflowIds.dunning(elsewhere.invoiceId));
  return {
    "dunning-new-payment-method": { workflowId: workflowIds.dunning(invoiceId) },
    "dunning-paid-elsewhere": { workflowId: workflowIds.dunning(elsewhere.invoiceId) },
  };
}

/** By a policy with everything: a withheld charge, a confirmation, a dispute, and an operator who ends it. */
async function dunningThatIsHeldUp(scene: Scene): Promise<Recorded> {
  const access = [
    { days: 1, level: "limited" as const },
    { days: 6, level: "ended" as const },
  ];
  const terms = { retryAfterDays: [3, 5, 20], finalAction: "pause", accessGraceDays: 7 } as const;
  const quietHours = { from: "22:00", to: "06:00" };
  const authentication = { waitHours: 24, remindAfterHours: 12 };
  scene.standIns.on("openDunning", () => dunningFacts({ ...terms, access, quietHours, authentication }));
  const { clock, invoiceId } = await failing(scene, "soft");
  scene.standIns.inTurn(
    "payInvoice",
    () => ({ status: "withheld", until: "2026-04-05T12:00:00.000Z" }),
    () => ({
      status: "declined",
      declineCode: "authentication_required",
      declineClass: "authentication",
    }),
    declined("soft"),
  );
  const retry = { requestId: "retry", command: "retry" } as const;
  const postpone = { requestId: "wait", command: "postpone", until: "2026-04-20T00:00:00.000Z" } as const;
  const stop = { requestId: "stop", command: "stop" } as const;
  const command = (told: DunningCommand) =>
    scene.gateway.tellDunning(invoiceId, clock.reading(), dunningCommanded, {
      ...told,
      cause: told.requestId,
    });
  const dispute = (isOpen: boolean) =>
    scene.gateway.tellDunning(invoiceId, clock.reading(), disputeChanged, {
      disputeId: "dp",
      isOpen,
      cause: `dispute ${isOpen}`,
    });
  await clock.advance("2026-04-08T00:00:00.000Z");
  await dispute(true);
  await clock.advance("2026-04-10T00:00:00.000Z");
  await dispute(false);
  await command(retry);
  await command(postpone);
  await clock.advance("2026-04-21T00:00:00.000Z");
  await command(stop);
  const workflowId = workflowIds.dunning(invoiceId);
  await resultOf(scene.client, workflowId);
  return { "dunning-held-up": { workflowId } };
}

async function failing(scene: Scene, declineClass: "soft" | "hard") {
  const clock = await scene.startClock(april);
  const invoiceId = scene.id("inv");
  scene.standIns.on("payInvoice", declined(declineClass));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub") };
  await scene.gateway.startCollection({ ...input, clock: clock.reading() });
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  const noted = () => scene.standIns.asked("noteDunning").some((note) => note.invoiceId === invoiceId);
  await until(noted, "dunning is at work");
  return { clock, invoiceId };
}

async function aPurchaseOfCredits(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  paying(scene, clock);
  const input = { grantId: scene.id("grant"), customerId: scene.id("cus"), clock: clock.reading() };
  await scene.gateway.purchaseCredits(input, april);
  const workflowId = workflowIds.topUp(input.customerId, input.grantId);
  await resultOf(scene.client, workflowId);
  return { "top-up": { workflowId } };
}

async function withdrawals(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  paying(scene, clock);
  const invoiceId = scene.id("inv");
  const input = {
    invoiceId,
    customerId: scene.id("cus"),
    subscriptionId: scene.id("sub"),
    clock: clock.reading(),
  };
  const withdrawn = () => {
    const reason = { reasonCode: "billing_error", reason: null, voidedBy: "api-key/finance" };
    return scene.gateway.voidInvoice(input, { requestId: scene.id("void"), at: april, ...reason });
  };
  const workflowId = workflowIds.withdrawal(invoiceId);
  scene.standIns.inTurn(
    "voidInvoice",
    () => {
      throw new InvoiceNotVoidableError("invoice_has_credit_notes", "credit notes refer to it");
    },
    () => ({ invoiceId: scene.id("inv"), collect: true }),
  );
  await withdrawn().catch(() => undefined);
  await resultOf(scene.client, workflowId);
  const refused = await runOf(scene, workflowId);
  await withdrawn();
  await resultOf(scene.client, workflowId);
  const replaced = await runOf(scene, workflowId);
  return {
    "withdrawal-refused": { workflowId, runId: refused },
    "withdrawal-replaced": { workflowId, runId: replaced },
  };
}

async function theNet(scene: Scene): Promise<Recorded> {
  scene.standIns.inTurn(
    "closeDuePage",
    () => ({ closed: 250, handedOver: 0, next: { dueAt: "2026-02-01T01:00:00Z", subscriptionId: "sub" } }),
    () => ({ closed: 7, handedOver: 1, next: null }),
  );
  const workflowId = scene.id("cycle-close");
  const { taskQueue } = scene;
  await scene.client.workflow.execute("cycleClose", { workflowId, taskQueue, args: [{}] });
  return { "cycle-close": { workflowId } };
}

/** From now on every charge succeeds, and its webhook comes. */
function paying(scene: Scene, clock: SceneClock): void {
  scene.standIns.on("payInvoice", async ({ invoiceId }) => {
    await scene.paymentBooked(invoiceId, clock);
    return { status: "paid" };
  });
}

async function runOf(scene: Scene, workflowId: string): Promise<string> {
  return (await scene.client.workflow.getHandle(workflowId).describe()).runId;
}
