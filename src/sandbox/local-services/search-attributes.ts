/** What operators can search workflows by, and the type of each, in the words of Temporal's command line. */
export const searchAttributes = {
  CustomerId: "Keyword",
  SubscriptionId: "Keyword",
  InvoiceId: "Keyword",
  PlanId: "Keyword",
  BillingStatus: "Keyword",
  ErrorClass: "Keyword",
  ClockId: "Keyword",
  PeriodEnd: "Datetime",
  NextActionAt: "Datetime",
  NeedsAttention: "Bool",
  DunningAttempt: "Int",
} as const;
