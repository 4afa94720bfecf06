/** The parts of the business that the worked examples are grouped by, in the order of docs/ledger.md. */
export const areas = {
  sales: {
    title: "Sales and usage",
    introduction:
      "An invoice becomes a receivable when it is issued. What it charges for is revenue only when it is served: usage when it is used, seats and fees as their time passes, credits as they are spent. Tax is never ours.",
  },
  payments: {
    title: "Payments and payouts",
    introduction:
      "A payment passes through clearing, 1010, until Stripe reports it as a balance transaction. For each balance transaction exactly one entry touches 1000, and nothing else does, so 1000 is what Stripe says we have there. A payment that fails is no entry: nothing has moved.",
  },
  credits: {
    title: "Credits",
    introduction:
      "Every grant is an account of its own that cannot go below zero. What a customer paid for is in 2000 and becomes revenue when it is spent. Gifts and goodwill are in 2010: a gift stands against 1300 and never becomes net revenue; goodwill is an expense, 5200, from the day it is given. A request that is still running only holds credits, which is no entry; what it cost is booked when the hold is settled.",
  },
  returns: {
    title: "Refunds, disputes and credit notes",
    introduction:
      "What is given back is taken from where it is now: revenue that was earned is lowered by 4910, what was not earned yet is taken from the account it waits in, and its tax from 2300. Which part of an amount is which, the caller says; together they must be the whole.",
  },
  debts: {
    title: "Doubtful debts",
    introduction:
      "Losses are booked when they are expected, into an allowance that stands against the receivables. Writing an invoice off then uses the allowance; only what it does not cover is a new expense.",
  },
  corrections: {
    title: "Corrections",
    introduction:
      "Nothing is edited. A mistake is undone by an entry with the sides swapped, once; a fact that comes late is booked when it comes; what nobody can explain yet waits in suspense and raises an alarm.",
  },
  currencies: {
    title: "Currencies and small amounts",
    introduction:
      "Each entry is in one currency, and each currency balances by itself. Amounts cross from one to another over the bridge, 9000. Below the smallest coin of a currency the ledger keeps eight more decimals.",
  },
} as const;

export type Area = keyof typeof areas;
