import { issueCreditPurchase } from "../../../src/activities/issue-credit-purchase.ts";
import { book } from "../../../src/activities/issue-invoice.ts";
import { insertGrant } from "../../../src/db/billing/credit-grants.ts";
import { updateInvoice } from "../../../src/db/billing/invoices.ts";
import { insertAttempt, insertPayment } from "../../../src/db/billing/payments.ts";
import { type Database, inTransaction } from "../../../src/db/database.ts";
import { type Instant, isoOf } from "../../../src/domain/calendar/index.ts";
import type { GrantScope } from "../../../src/domain/credits/index.ts";
import {
  balanceTransactionRecorded,
  paymentSucceeded,
  prepaidCreditsFunded,
} from "../../../src/domain/ledger/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import { wallClock } from "./running-api.ts";

interface Purchase {
  readonly grantId: string;
  readonly customerId: string;
  readonly amountMinor: bigint;
  /** False: it is invoiced, and not paid. */
  readonly isPaid?: boolean;
  /** When; the API's fixed time when left out. */
  readonly at?: Instant;
  readonly expiresAt?: Instant;
  readonly scope?: GrantScope;
}

/** Credit that a customer has bought, with all that Stripe and workflows would have written. */
export async function buyCredit(
  db: Database,
  { grantId, customerId, amountMinor, isPaid = true, at = wallClock, expiresAt, scope }: Purchase,
): Promise<void> {
  const amount = money(amountMinor, "usd");
  const paymentId = `pi_${grantId}`;
  const purchase = { customerId, ...amount, kind: "paid" as const, priority: 50, reason: "prepaid credit" };
  await insertGrant(db.orm, {
    ...purchase,
    id: grantId,
    invoiceId: `inv_${grantId}`,
    effectiveAt: at,
    expiresAt: expiresAt ?? null,
    scope: scope ?? null,
    createdAt: at,
  });
  const { invoiceId } = await issueCreditPurchase(db, { grantId, at: isoOf(at) });
  const attempt = { invoiceId, attempt: 1, cause: "first" as const, attemptedAt: at };
  await insertAttempt(db.orm, { ...attempt, outcome: isPaid ? "paid" : "declined" });
  if (!isPaid) return;
  const facts = { customerId, currency: amount.currency, occurredAt: at, effectiveAt: at };
  await inTransaction(db, async (tx) => {
    await insertPayment(tx, {
      stripePaymentIntentId: paymentId,
      invoiceId,
      stripeChargeId: null,
      amountMinor,
      receivedAt: at,
    });
    await updateInvoice(tx, invoiceId, { amountPaidMinor: amountMinor, status: "paid", paidAt: at });
    const balanceTransactionId = `txn_${grantId}`;
    await book(tx, [
      paymentSucceeded({
        ...facts,
        sourceKey: `payment/${paymentId}`,
        paymentId,
        invoiceId,
        received: amount,
        due: amount,
      }),
      balanceTransactionRecorded({
        ...facts,
        sourceKey: `balance-transaction/${balanceTransactionId}`,
        balanceTransactionId,
        paymentId,
        gross: amount,
        fee: money(0n, "usd"),
      }),
      prepaidCreditsFunded({
        ...facts,
        sourceKey: `credit-purchase/${invoiceId}/funded`,
        purchaseId: invoiceId,
        grantId,
        invoiceId,
        amount,
      }),
    ]);
  });
}
