import type { CreditGrantKind } from "../credits/index.ts";
import type { Currency } from "../money/index.ts";
import type { AccountRef } from "./account-ref.ts";

/** The accounts by their names, so that an entry reads as what it says. */

export const stripeBalance = (currency: Currency): AccountRef => ({ code: "1000", currency });

/** Payments that have succeeded and are not yet a balance transaction. */
export const paymentsClearing = (currency: Currency): AccountRef => ({ code: "1010", currency });

/** Where payouts arrive. */
export const bankCash = (currency: Currency): AccountRef => ({ code: "1020", currency });

/** Payouts that have left Stripe and not arrived at the bank. */
export const payoutsInTransit = (currency: Currency): AccountRef => ({ code: "1030", currency });

/** What invoices say the customer owes. */
export const receivable = (customerId: string, currency: Currency): AccountRef => ({
  code: "1100",
  currency,
  customerId,
});

/** Earned, not invoiced yet. */
export const unbilledReceivable = (customerId: string, currency: Currency): AccountRef => ({
  code: "1110",
  currency,
  customerId,
});

/** Money that the customer's bank has taken back, until the dispute is decided. */
export const disputedReceivable = (
  customerId: string,
  disputeId: string,
  currency: Currency,
): AccountRef => ({
  code: "1120",
  currency,
  customerId,
  disputeId,
});

/** What of the receivables is not expected to be paid; stands against them. */
export const doubtfulAllowance = (currency: Currency): AccountRef => ({ code: "1190", currency });

/** Stands against promotional credits: a gift is a promise, but not money received. */
export const promotionalOffset = (currency: Currency): AccountRef => ({ code: "1300", currency });

export const prepaidCredits = (customerId: string, grantId: string, currency: Currency): AccountRef => ({
  code: "2000",
  currency,
  customerId,
  grantId,
});

/** Credits on an invoice that is not paid: nobody can spend them. */
export const unpaidCredits = (customerId: string, purchaseId: string, currency: Currency): AccountRef => ({
  code: "2005",
  currency,
  customerId,
  purchaseId,
});

export const promotionalCredits = (customerId: string, grantId: string, currency: Currency): AccountRef => ({
  code: "2010",
  currency,
  customerId,
  grantId,
});

/** Where the credits of a grant are: what was paid for in 2000, gifts and goodwill in 2010. */
export const creditsOfGrant = (
  kind: CreditGrantKind,
  customerId: string,
  grantId: string,
  currency: Currency,
): AccountRef => (kind === "paid" ? prepaidCredits : promotionalCredits)(customerId, grantId, currency);

/** What stands against credits that nobody paid for: the offset of a gift, the expense of goodwill. */
export const fundingOfGift = (kind: Exclude<CreditGrantKind, "paid">, currency: Currency): AccountRef =>
  (kind === "goodwill" ? goodwill : promotionalOffset)(currency);

/** Invoiced in advance, not earned yet. */
export const deferredRevenue = (
  customerId: string,
  subscriptionId: string,
  currency: Currency,
): AccountRef => ({ code: "2100", currency, customerId, subscriptionId });

/** What we owe the customer, to be set against coming invoices. */
export const customerBalance = (customerId: string, currency: Currency): AccountRef => ({
  code: "2200",
  currency,
  customerId,
});

/** Charged on behalf of a tax authority: never ours. */
export const taxPayable = (jurisdiction: string, currency: Currency): AccountRef => ({
  code: "2300",
  currency,
  jurisdiction,
});

/** Promised back to the customer, not sent yet. */
export const refundPayable = (customerId: string, refundId: string, currency: Currency): AccountRef => ({
  code: "2400",
  currency,
  customerId,
  refundId,
});

/** Credits that expired, but belong to whom the law on unclaimed property says. */
export const unclaimedProperty = (currency: Currency): AccountRef => ({ code: "2500", currency });

export const usageRevenue = (productKey: string, currency: Currency): AccountRef => ({
  code: "4000",
  currency,
  productKey,
});

export const subscriptionRevenue = (productKey: string, currency: Currency): AccountRef => ({
  code: "4010",
  currency,
  productKey,
});

export const breakageRevenue = (currency: Currency): AccountRef => ({ code: "4020", currency });

/** Takes back the revenue that promotional credits paid for. */
export const promotionalDiscount = (currency: Currency): AccountRef => ({ code: "4900", currency });

/** Takes back revenue that was refunded or credited. */
export const creditNoteAllowance = (currency: Currency): AccountRef => ({ code: "4910", currency });

export const processorFees = (currency: Currency): AccountRef => ({ code: "5000", currency });

export const disputeFees = (currency: Currency): AccountRef => ({ code: "5010", currency });

export const badDebt = (currency: Currency): AccountRef => ({ code: "5100", currency });

/** What making something good has cost us. */
export const goodwill = (currency: Currency): AccountRef => ({ code: "5200", currency });

/** What rates of exchange have cost or brought between a payment and its return. */
export const exchangeDifference = (currency: Currency): AccountRef => ({ code: "5300", currency });

export const rounding = (currency: Currency): AccountRef => ({ code: "5900", currency });

/** Where an amount leaves one currency and enters another: an entry has one currency. */
export const exchangeBridge = (currency: Currency): AccountRef => ({ code: "9000", currency });

/** What Stripe moved and nobody has explained yet. */
export const suspense = (currency: Currency): AccountRef => ({ code: "9100", currency });
