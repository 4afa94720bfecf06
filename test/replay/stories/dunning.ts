import {
  type DunningCommand,
  disputeChanged,
  dunningCommanded,
  workflowIds,
} from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import { type Scene, until } from "../../workflows/support/scene.ts";
import { declined, dunningFacts } from "../../workflows/support/stand-ins.ts";
import { april, paying, type Recorded } from "./recorded.ts";

export async function dunningToTheEnd(scene: Scene): Promise<Recorded> {
  const { clock, invoiceId } = await failing(scene, "soft");
  await clock.advance("2026-05-01T00:00:00.000Z");
  await resultOf(scene.client, workflowIds.dunning(invoiceId));
  return {
    "collection-declined": { workflowId: workflowIds.collection(invoiceId) },
    "dunning-exhausted": { workflowId: workflowIds.dunning(invoiceId) },
  };
}

export async function dunningThatRecovers(scene: Scene): Promise<Recorded> {
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
export async function dunningThatIsHeldUp(scene: Scene): Promise<Recorded> {
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

/** The first charge is not sent, because the network allows none of the card yet. */
export async function dunningOfAChargeThatWasWithheld(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const invoiceId = scene.id("inv");
  scene.standIns.on("payInvoice", () => ({ status: "withheld", until: "2026-04-05T12:00:00.000Z" }));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null };
  await scene.gateway.startCollection({ ...input, clock: clock.reading() });
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  paying(scene, clock);
  await clock.advance("2026-04-10T00:00:00.000Z");
  await resultOf(scene.client, workflowIds.dunning(invoiceId));
  return {
    "collection-withheld": { workflowId: workflowIds.collection(invoiceId) },
    "dunning-withheld": { workflowId: workflowIds.dunning(invoiceId) },
  };
}
