import { defineSearchAttributeKey } from "@temporalio/common";

/** By what runs can be found in the Temporal UI. They are not encrypted: ids and states only, no names, no amounts. */
export const searchAttributes = {
  customerId: defineSearchAttributeKey("CustomerId", "KEYWORD"),
  subscriptionId: defineSearchAttributeKey("SubscriptionId", "KEYWORD"),
  invoiceId: defineSearchAttributeKey("InvoiceId", "KEYWORD"),
  planId: defineSearchAttributeKey("PlanId", "KEYWORD"),
  billingStatus: defineSearchAttributeKey("BillingStatus", "KEYWORD"),
  errorClass: defineSearchAttributeKey("ErrorClass", "KEYWORD"),
  clockId: defineSearchAttributeKey("ClockId", "KEYWORD"),
  periodEnd: defineSearchAttributeKey("PeriodEnd", "DATETIME"),
  nextActionAt: defineSearchAttributeKey("NextActionAt", "DATETIME"),
  needsAttention: defineSearchAttributeKey("NeedsAttention", "BOOL"),
  dunningAttempt: defineSearchAttributeKey("DunningAttempt", "INT"),
} as const;
