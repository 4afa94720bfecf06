import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { InvoiceNotVoidableError } from "../../src/domain/invoicing/index.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

function anInvoice() {
  const invoiceId = scene.id("inv");
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub"), clock: null };
  return { invoiceId, input, workflowId: workflowIds.withdrawal(invoiceId) };
}

const command = (requestId: string) => ({
  requestId,
  at: "2026-02-01T00:00:00.000Z",
});

test("an invoice is voided, and the one that replaces it is collected", async () => {
  const { invoiceId, input, workflowId } = anInvoice();
  const replacement = scene.id("inv");
  scene.standIns.on("voidInvoice", () => ({ invoiceId: replacement, collect: true }));
  const asked = command(scene.id("void"));
  expect(await scene.gateway.voidInvoice(input, asked)).toEqual({ replacedBy: replacement });
  // The same request again gets the same answer.
  expect(await scene.gateway.voidInvoice(input, asked)).toEqual({ replacedBy: replacement });
  await until(() => scene.standIns.asked("payInvoice").length === 1, "the replacement is charged");
  await scene.paymentBooked(replacement);
  expect(await resultOf(scene.client, workflowId)).toBe("withdrawn");
  expect(scene.standIns.asked("voidInvoice")).toEqual([{ invoiceId, ...asked }]);
  expect(scene.standIns.asked("payInvoice")).toMatchObject([{ invoiceId: replacement }]);
});

test("a refusal is told with its code, and somebody may ask again later", async () => {
  const { input, workflowId } = anInvoice();
  scene.standIns.inTurn(
    "voidInvoice",
    () => {
      throw new InvoiceNotVoidableError("invoice_has_credit_notes", "credit notes refer to it");
    },
    () => ({ invoiceId: null, collect: false }),
  );
  await expect(scene.gateway.voidInvoice(input, command(scene.id("void")))).rejects.toMatchObject({
    code: "invoice_has_credit_notes",
  });
  expect(await resultOf(scene.client, workflowId)).toBe("refused");
  expect(await scene.gateway.voidInvoice(input, command(scene.id("void")))).toEqual({ replacedBy: null });
  expect(await resultOf(scene.client, workflowId)).toBe("withdrawn");
});
