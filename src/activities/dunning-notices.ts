import { insertDunningNotices } from "../db/billing/dunning-records.ts";
import type { StoredInvoice } from "../db/billing/invoices.ts";
import type { Tx } from "../db/database.ts";
import { tellDunning, tellPaymentFailed } from "../db/notices/notices-of-facts.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { DeclineClass, DunningNotice } from "../domain/lifecycle/index.ts";
import { policyOfInvoice } from "./policy-of-invoice.ts";

/** What is to be said of one fact of a dunning: `begun`, `attempt/2`, `access/limited`. */
export interface DunningSaying {
  readonly fact: string;
  readonly notices: readonly DunningNotice[];
}

/**
 * Writes down what is to be said to a customer in the transaction of the fact, once for each fact. The one place through
 * which a dunning says anything beyond that a charge has failed or an invoice has recovered.
 */
export async function sayOfDunning(
  tx: Tx,
  { invoiceId, at }: { readonly invoiceId: string; readonly at: Instant },
  sayings: readonly DunningSaying[],
): Promise<void> {
  const said = sayings.flatMap(({ fact, notices }) =>
    notices.map(({ moment, notice }) => ({ invoiceId, fact, moment, notice, saidAt: at })),
  );
  await insertDunningNotices(tx, said);
  await tellDunning(tx, said);
}

/** A charge was declined: it is told, unless the policy of the invoice has no notice for that. */
export async function sayDeclined(
  tx: Tx,
  invoice: StoredInvoice,
  {
    attempt,
    declineClass,
    at,
  }: { readonly attempt: number; readonly declineClass: DeclineClass; readonly at: Instant },
): Promise<void> {
  const { notices } = await policyOfInvoice(tx, invoice);
  const moment = declineClass === "authentication" ? "action_required" : "attempt_failed";
  if (notices[moment] !== null) await tellPaymentFailed(tx, invoice, { attempt, at });
}
