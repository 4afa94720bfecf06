import { InvoiceNotVoidableError } from "../../../src/domain/invoicing/index.ts";
import { workflowIds } from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import type { Scene } from "../../workflows/support/scene.ts";
import { april, paying, type Recorded, runOf } from "./recorded.ts";

/** One that nobody is told of meanwhile, and one that is. */
export async function collections(scene: Scene): Promise<Recorded> {
  const [alone, told] = [scene.id("inv"), scene.id("inv")];
  const rest = { customerId: scene.id("cus"), subscriptionId: null, clock: null };
  await scene.gateway.startCollection({ invoiceId: alone, ...rest });
  await resultOf(scene.client, workflowIds.collection(alone));
  scene.standIns.on("collectInvoice", async () => {
    await scene.paymentBooked(told);
    return { status: "paid" };
  });
  await scene.gateway.startCollection({ invoiceId: told, ...rest });
  await resultOf(scene.client, workflowIds.collection(told));
  return {
    "collection-paid": { workflowId: workflowIds.collection(alone) },
    "collection-told-meanwhile": { workflowId: workflowIds.collection(told) },
  };
}

export async function aPurchaseOfCredits(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  paying(scene, clock);
  const input = { grantId: scene.id("grant"), customerId: scene.id("cus"), clock: clock.reading() };
  await scene.gateway.purchaseCredits(input, april);
  const workflowId = workflowIds.topUp(input.customerId, input.grantId);
  await resultOf(scene.client, workflowId);
  return { "top-up": { workflowId } };
}

export async function withdrawals(scene: Scene): Promise<Recorded> {
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
    return scene.gateway.voidInvoice(input, { requestId: scene.id("void"), at: april });
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

export async function aRefund(scene: Scene): Promise<Recorded> {
  const refundId = scene.id("refund");
  const whose = { customerId: scene.id("cus"), invoiceId: scene.id("inv") };
  await scene.gateway.startRefund({ refundId, ...whose, clock: null });
  const workflowId = workflowIds.refund(refundId);
  await resultOf(scene.client, workflowId);
  return { refund: { workflowId } };
}
