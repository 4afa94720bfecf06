import type { Scene, SceneClock } from "../../workflows/support/scene.ts";

/** Name of a history → the run that it is the history of; the first run when none is named. */
export type Recorded = Record<string, { readonly workflowId: string; readonly runId?: string }>;

export const january = "2026-01-31T00:00:00.000Z";
export const inJanuary = "2026-02-10T00:00:00.000Z";
export const date = "2026-02-15T00:00:00.000Z";
export const march = "2026-03-05T00:00:00.000Z";
export const april = "2026-04-01T00:00:00.000Z";

/** From now on every charge succeeds, and its webhook comes. */
export function paying(scene: Scene, clock: SceneClock): void {
  scene.standIns.on("payInvoice", async ({ invoiceId }) => {
    await scene.paymentBooked(invoiceId, clock);
    return { status: "paid" };
  });
}

export async function runOf(scene: Scene, workflowId: string): Promise<string> {
  return (await scene.client.workflow.getHandle(workflowId).describe()).runId;
}
