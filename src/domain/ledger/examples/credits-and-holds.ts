import {
  creditsBurned,
  customerBalanceApplied,
  goodwillGranted,
  goodwillWithdrawn,
  grantAdjusted,
  grantExpired,
  holdSettled,
  invoiceIssued,
  promotionalCreditsGranted,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("cedar");
const setting = settingsFor("cedar", "credits");
const onBrook = happeningTo("brook");

const given: readonly WorkedExample[] = [
  {
    area: "credits",
    isSetting: true,
    event: "Promotional credits granted",
    story: "cedar tries the product with a gift of 1.00.",
    entry: promotionalCreditsGranted({
      ...on("2026-03-01", "grant/c1/granted"),
      grantId: "c1",
      amount: cents(100n),
    }),
    postings: ["1300 → 2010:{cedar, c1} 1.00 USD"],
  },
  {
    area: "credits",
    event: "Goodwill granted as credits",
    story: "A slow morning is made good with 0.50 of credits, grant c2. The expense is ours at once.",
    entry: goodwillGranted({
      ...on("2026-03-02", "adjustment/adj_1/granted"),
      adjustmentId: "adj_1",
      amount: cents(50n),
      to: { kind: "grant", grantId: "c2" },
    }),
    postings: ["5200 → 2010:{cedar, c2} 0.50 USD"],
  },
  {
    area: "credits",
    event: "Goodwill granted as customer balance",
    story: "A lost day is made good with 15.00 for coming invoices.",
    entry: goodwillGranted({
      ...on("2026-03-03", "adjustment/adj_2/granted"),
      adjustmentId: "adj_2",
      amount: cents(1500n),
      to: { kind: "customer_balance" },
    }),
    postings: ["5200 → 2200:{cedar} 15.00 USD"],
  },
  {
    area: "credits",
    event: "Goodwill withdrawn",
    story: "10.00 of it were meant for somebody else. What is still there can be taken back, no more.",
    entry: goodwillWithdrawn({
      ...on("2026-03-03", "adjustment/adj_3/withdrawn"),
      adjustmentId: "adj_3",
      amount: exact("1000"),
      from: { kind: "customer_balance" },
    }),
    postings: ["2200:{cedar} → 5200 10.00 USD"],
  },
  {
    area: "credits",
    isSetting: true,
    event: "Invoice issued: a credit purchase",
    story: "cedar buys 5.00 of credits.",
    entry: invoiceIssued({
      ...on("2026-03-04", "invoice/in_11/issued"),
      ...noLines,
      invoiceId: "in_11",
      creditPurchases: [{ purchaseId: "buy_3", amount: cents(500n) }],
    }),
    postings: ["1100:{cedar} → 2005:{cedar, buy_3} 5.00 USD"],
  },
  {
    area: "credits",
    isSetting: true,
    event: "Customer balance applied",
    story: "The balance of 15.00 − 10.00 = 5.00 pays for them.",
    entry: customerBalanceApplied({
      ...on("2026-03-04", "invoice/in_11/balance-applied"),
      applicationId: "in_11/1",
      invoiceId: "in_11",
      amount: cents(500n),
    }),
    postings: ["2200:{cedar} → 1100:{cedar} 5.00 USD"],
  },
  setting.funded("2026-03-04", {
    purchaseId: "buy_3",
    grantId: "c3",
    invoiceId: "in_11",
    amount: cents(500n),
  }),
];

const requests: readonly WorkedExample[] = [
  {
    area: "credits",
    event: "Hold settled: a request for less than a cent",
    story:
      "Before it ran, a request held 0.01. It used 1,237 tokens at 0.000003: 0.003711, which the gift pays.",
    entry: holdSettled({
      ...on("2026-03-05", "request/req_1/settled"),
      holdKey: "request/req_1/reserved",
      productKey: "tokens",
      draws: [{ grantId: "c1", kind: "promotional", amount: exact("0.3711") }],
    }),
    postings: ["2010:{cedar, c1} → 4000:{tokens} 0.003711 USD", "4900 → 1300 0.003711 USD"],
  },
  {
    area: "credits",
    event: "Hold settled: credits of every kind, and overage",
    story:
      "A long request costs 7.00. The gift has 1.00 − 0.003711 = 0.996289 left, goodwill 0.50, paid credits 5.00; the rest is overage: 7.00 − 6.496289 = 0.503711. Revenue is 7.00, less the 0.996289 that nobody pays.",
    entry: holdSettled({
      ...on("2026-03-06", "request/req_2/settled"),
      holdKey: "request/req_2/reserved",
      productKey: "tokens",
      draws: [
        { grantId: "c1", kind: "promotional", amount: exact("99.6289") },
        { grantId: "c2", kind: "goodwill", amount: exact("50") },
        { grantId: "c3", kind: "paid", amount: exact("500") },
      ],
      overage: exact("50.3711"),
    }),
    postings: [
      "2010:{cedar, c1} → 4000:{tokens} 0.996289 USD",
      "4900 → 1300 0.996289 USD",
      "2010:{cedar, c2} → 4000:{tokens} 0.50 USD",
      "2000:{cedar, c3} → 4000:{tokens} 5.00 USD",
      "1110:{cedar} → 4000:{tokens} 0.503711 USD",
    ],
  },
];

const adjustedAndEnded: readonly WorkedExample[] = [
  {
    area: "credits",
    event: "Grant adjusted: a gift gets larger",
    story: "cedar's gift c1 gets 2.00 more.",
    entry: grantAdjusted({
      ...on("2026-03-07", "adjustment/adj_4/adjusted"),
      adjustmentId: "adj_4",
      grantId: "c1",
      kind: "promotional",
      change: exact("200"),
    }),
    postings: ["1300 → 2010:{cedar, c1} 2.00 USD"],
  },
  {
    area: "credits",
    event: "Grant adjusted: a paid grant gets smaller",
    story: "brook wants 1.00 of its credits b1 as balance instead. What was paid stays the customer's.",
    entry: grantAdjusted({
      ...onBrook("2026-03-07", "adjustment/adj_5/adjusted"),
      adjustmentId: "adj_5",
      grantId: "b1",
      kind: "paid",
      change: exact("-100"),
    }),
    postings: ["2000:{brook, b1} → 2200:{brook} 1.00 USD"],
  },
  {
    area: "credits",
    event: "Grant adjusted: goodwill gets larger",
    story: "cedar's goodwill c2 gets another 0.60.",
    entry: grantAdjusted({
      ...on("2026-03-08", "adjustment/adj_6/adjusted"),
      adjustmentId: "adj_6",
      grantId: "c2",
      kind: "goodwill",
      change: exact("60"),
    }),
    postings: ["5200 → 2010:{cedar, c2} 0.60 USD"],
  },
  {
    area: "credits",
    event: "Grant expired: a gift",
    story: "The 2.00 of c1 are not used in time. Nobody paid for them, so they only vanish.",
    entry: grantExpired({
      ...on("2026-04-01", "grant/c1/expired"),
      grantId: "c1",
      kind: "promotional",
      remaining: exact("200"),
    }),
    postings: ["2010:{cedar, c1} → 1300 2.00 USD"],
  },
  {
    area: "credits",
    event: "Grant expired: goodwill",
    story: "Nor are the 0.60 of c2: the expense is taken back.",
    entry: grantExpired({
      ...on("2026-04-01", "grant/c2/expired"),
      grantId: "c2",
      kind: "goodwill",
      remaining: exact("60"),
    }),
    postings: ["2010:{cedar, c2} → 5200 0.60 USD"],
  },
  {
    area: "credits",
    isSetting: true,
    event: "Credits burned",
    story: "brook spends 60.00 of b1: 100.00 − 1.00 − 60.00 = 39.00 are left.",
    entry: creditsBurned({
      ...onBrook("2026-03-31", "cycle/sub_3/2026-03-01/burned"),
      cycleId: "sub_3/2026-03-01",
      draws: [{ grantId: "b1", kind: "paid", productKey: "tokens", amount: exact("6000") }],
    }),
    postings: ["2000:{brook, b1} → 4000:{tokens} 60.00 USD"],
  },
  {
    area: "credits",
    event: "Grant expired: unclaimed property",
    story:
      "Where brook is, unused credits that were paid for belong to the state after a time. So the 39.00 are no revenue: they stay a debt.",
    entry: grantExpired({
      ...onBrook("2026-04-01", "grant/b1/expired"),
      grantId: "b1",
      kind: "paid",
      remaining: exact("3900"),
      unusedBecome: "unclaimed_property",
    }),
    postings: ["2000:{brook, b1} → 2500 39.00 USD"],
  },
];

export const creditsAndHolds: readonly WorkedExample[] = [...given, ...requests, ...adjustedAndEnded];
