import { inArray } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { latestOf } from "../../domain/calendar/index.ts";
import { invoicingOf } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { subscription } from "../schema/billing.ts";
import { endsAt, inOrder, periodOf } from "./agreed-period.ts";
import { graceAfter } from "./agreed-rows.ts";
import { invoicedWith } from "./period-standing.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** The invoice that a subscription's next period to close will be on. */
export interface InvoiceTogether {
  /** Whose periods are on it, in their order; one, unless the customer's subscriptions are invoiced together. */
  readonly rows: readonly StoredSubscription[];
  /** When the longest grace among them is over. */
  readonly invoiceAt: Instant;
}

/** As it is agreed now; nothing is locked. */
export async function invoiceTogether(tx: Tx, row: StoredSubscription): Promise<InvoiceTogether> {
  const { end } = periodOf(row, row.billedThrough).period;
  const found = await invoicedWith(tx, row.id);
  const isAlone = found === null || invoicingOf(found.choices, end) === "separate";
  const ids = isAlone ? [] : found.others.map(({ subscriptionId }) => subscriptionId);
  const others =
    ids.length === 0 ? [] : await tx.select().from(subscription).where(inArray(subscription.id, ids));
  const together = [row, ...others.filter((other) => endsAt(other, end) === "next")];
  return {
    rows: inOrder(together, (each) => each),
    invoiceAt: latestOf(together.map((each) => graceAfter(each, end))),
  };
}
