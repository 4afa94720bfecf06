import type { StoredBalanceTransaction } from "../db/billing/balance-transactions.ts";
import { findBalanceTransaction, noteTransaction } from "../db/billing/balance-transactions.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { findPaymentOfCharge } from "../db/billing/payments.ts";
import { findRefundAtStripe } from "../db/billing/refunds.ts";
import { inTransaction } from "../db/database.ts";
import { findEntryOfCause } from "../db/ledger/ledger.ts";
import { invariant } from "../domain/errors.ts";
import {
  balanceTransactionRecorded,
  failedRefundRecorded,
  type JournalEntryDraft,
  processorFeeRecorded,
  returnRecorded,
} from "../domain/ledger/index.ts";
import { currency, ledgerAmountAtStripe, money } from "../domain/money/index.ts";
import { bookMovement, bookSettled, movementKey } from "./balance-movement.ts";
import { bookUnknown } from "./book-unknown.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { settleDispute } from "./dispute-settle.ts";
import { bookPayoutMovement } from "./payout-settle.ts";
import { settleRefund } from "./refund-settle.ts";

/** Books one movement of Stripe's balance under what it is. Answers null when it is booked, else what is not known of it. */
export async function explain(
  deps: ActivityDependencies,
  transaction: StoredBalanceTransaction,
): Promise<string | null> {
  const { reportingCategory, source } = transaction;
  switch (reportingCategory) {
    case "charge":
      return source === null ? "a charge without its id" : await explainCharge(deps, transaction, source);
    case "refund":
    case "refund_failure":
      return source === null ? "a refund without its id" : await explainRefund(deps, transaction, source);
    case "dispute":
    case "dispute_reversal":
      return source === null ? "a dispute without its id" : await explainDispute(deps, transaction, source);
    case "payout":
    case "payout_reversal":
      if (source === null) return "a payout without its id";
      await bookPayoutMovement(deps, { id: transaction.id, source });
      return null;
    case "fee":
      return await explainFee(deps, transaction);
    default:
      return `a movement of the category ${reportingCategory}`;
  }
}

async function explainCharge(
  deps: ActivityDependencies,
  transaction: StoredBalanceTransaction,
  chargeId: string,
): Promise<string | null> {
  const payment = await findPaymentOfCharge(deps.db.orm, chargeId);
  if (payment === undefined) return await bookUnknownCharge(deps, transaction, chargeId);
  const invoice = await findInvoice(deps.db.orm, payment.invoiceId);
  invariant(invoice, `payment ${payment.stripePaymentIntentId} is of an invoice`);
  const facts = await factsOf(deps, transaction, invoice);
  await inTransaction(deps.db, (tx) =>
    bookSettled(tx, facts.currency, transaction, (fee) =>
      balanceTransactionRecorded({
        ...facts,
        paymentId: payment.stripePaymentIntentId,
        gross: money(payment.amountMinor, invoice.currency),
        fee,
      }),
    ),
  );
  return null;
}

/** A payment whose webhook never came: it is booked as such, and explained by that or with the next look. */
async function bookUnknownCharge(
  deps: ActivityDependencies,
  { id }: StoredBalanceTransaction,
  chargeId: string,
): Promise<string | null> {
  const paidFor = await deps.rail.retrievePaidByCharge(chargeId);
  const invoice =
    paidFor === null ? undefined : await bookUnknown(deps, paidFor, paidFor.stripePaymentIntentId);
  if (invoice === undefined) return `charge ${chargeId} is for no invoice of ours`;
  const isExplained = (await findBalanceTransaction(deps.db.orm, id))?.state === "booked";
  return isExplained ? null : `charge ${chargeId} was booked a moment ago`;
}

async function explainRefund(
  deps: ActivityDependencies,
  transaction: StoredBalanceTransaction,
  stripeRefundId: string,
): Promise<string | null> {
  const refund =
    (await findRefundAtStripe(deps.db.orm, stripeRefundId)) ?? (await settleRefund(deps, stripeRefundId));
  if (refund === undefined) return `refund ${stripeRefundId} was not made by us`;
  const facts = await factsOf(deps, transaction, refund);
  const whose = { paymentId: refund.stripePaymentIntentId, refundId: refund.id };
  const amount = money(refund.amountMinor, refund.currency);
  await inTransaction(deps.db, (tx) =>
    bookSettled(tx, facts.currency, transaction, (fee) =>
      transaction.amount < 0n
        ? returnRecorded({ ...facts, ...whose, amount, fee })
        : failedRefundRecorded({ ...facts, ...whose, amount }),
    ),
  );
  return null;
}

async function explainDispute(
  deps: ActivityDependencies,
  { id }: StoredBalanceTransaction,
  disputeId: string,
): Promise<string | null> {
  const outcome = await settleDispute(deps, disputeId, `balance-transaction/${id}`);
  if (outcome === "ignored") return `dispute ${disputeId} is about nothing of ours`;
  const cause = { type: "stripe_balance_transaction", id };
  const kinds = ["dispute_opened", "dispute_won"];
  for (const kind of kinds) {
    if ((await findEntryOfCause(deps.db.orm, kind, cause)) === undefined) continue;
    await noteTransaction(deps.db.orm, id, { state: "booked", problem: null });
    return null;
  }
  return `dispute ${disputeId} does not say that it moved this`;
}

async function explainFee(
  deps: ActivityDependencies,
  transaction: StoredBalanceTransaction,
): Promise<string | null> {
  const { id: balanceTransactionId, net, createdAt } = transaction;
  if (net >= 0n) return "a fee that was given back";
  await bookEntry(
    deps,
    processorFeeRecorded({
      sourceKey: movementKey(balanceTransactionId),
      currency: currency(transaction.currency),
      occurredAt: createdAt,
      effectiveAt: createdAt,
      balanceTransactionId,
      amount: ledgerAmountAtStripe(-net, transaction.currency),
    }),
  );
  return null;
}

async function bookEntry({ db }: ActivityDependencies, entry: JournalEntryDraft): Promise<void> {
  await inTransaction(db, (tx) => bookMovement(tx, entry));
}

/** Booked at the customer's time, as everything of theirs. */
async function factsOf(
  deps: ActivityDependencies,
  { id: balanceTransactionId }: StoredBalanceTransaction,
  { customerId, currency: code }: { readonly customerId: string; readonly currency: string },
) {
  const { at } = await customerClock(deps, customerId);
  const sourceKey = movementKey(balanceTransactionId);
  return {
    sourceKey,
    customerId,
    currency: currency(code),
    occurredAt: at,
    effectiveAt: at,
    balanceTransactionId,
  };
}
