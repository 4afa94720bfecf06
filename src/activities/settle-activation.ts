import { findInvoice } from "../db/billing/invoices.ts";
import { updateSubscription } from "../db/billing/subscriptions.ts";
import { type Database, inTransaction } from "../db/database.ts";
import { instant } from "../domain/calendar/index.ts";
import { lockedSubscription } from "./apply-change.ts";
import { firstCloseAt } from "./subscription-beginning.ts";

export interface ActivationInput {
  readonly subscriptionId: string;
  readonly invoiceId: string;
  readonly at: string;
}

/** A subscription that waits for its first payment begins when its invoice is paid, and is given up when that is void. */
export async function settleActivation(
  db: Database,
  { subscriptionId, invoiceId, at }: ActivationInput,
): Promise<{ readonly status: "incomplete" | "active" | "incomplete_expired" }> {
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    if (row.status !== "incomplete") {
      return { status: row.status === "incomplete_expired" ? row.status : "active" };
    }
    const invoice = await findInvoice(tx, invoiceId);
    if (invoice?.status === "paid") {
      await updateSubscription(tx, row.id, { status: "active", nextCloseAt: firstCloseAt(row) });
      return { status: "active" };
    }
    if (invoice?.status === "open") return { status: "incomplete" };
    const endedAt = instant(at);
    const ended = { status: "incomplete_expired", cancelAt: endedAt, canceledAt: endedAt } as const;
    await updateSubscription(tx, row.id, ended);
    return { status: ended.status };
  });
}
