import { InvoiceNotVoidableError } from "../../../src/domain/invoicing/index.ts";
import { workflowIds } from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import { type Scene, until } from "../../workflows/support/scene.ts";
import { startSkipping } from "../../workflows/support/time-skipping.ts";
import { april, paying, type Recorded, runOf } from "./recorded.ts";

export async function collections(scene: Scene): Promise<Recorded> {
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
