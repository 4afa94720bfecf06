import { instant, period } from "../../calendar/index.ts";
import {
  creditsBurned,
  customerBalanceApplied,
  invoiceIssued,
  lateUsageAdjusted,
  prorationCredited,
  revenueRecognised,
  usageRated,
} from "../entries/index.ts";
import { cents, exact, happeningTo, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("acme");

const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));

export const periodClose: readonly WorkedExample[] = [
  {
    area: "credits",
    event: "Credits burned",
    story:
      "January's usage of tokens is 112.3456. Credits pay first: welcome 5.00, then g1 100.00. What a gift pays for is no revenue: 5.00 − 5.00 = 0.",
    entry: creditsBurned({
      ...on("2026-01-31", "cycle/sub_1/2026-01-01/burned"),
      cycleId: "sub_1/2026-01-01",
      draws: [
        { grantId: "welcome", kind: "promotional", productKey: "tokens", amount: exact("500") },
        { grantId: "g1", kind: "paid", productKey: "tokens", amount: exact("10000") },
      ],
    }),
    postings: [
      "2010:{acme, welcome} → 4000:{tokens} 5.00 USD",
      "4900 → 1300 5.00 USD",
      "2000:{acme, g1} → 4000:{tokens} 100.00 USD",
    ],
  },
  {
    area: "sales",
    event: "Usage rated",
    story:
      "The rest of January's usage is owed: 112.3456 − 105.00 = 7.3456, exact. A support fee of 3.00 is billed in arrears.",
    entry: usageRated({
      ...on("2026-01-31", "cycle/sub_1/2026-01-01/rated"),
      cycleId: "sub_1/2026-01-01",
      usage: [{ productKey: "tokens", amount: exact("734.56") }],
      fees: [{ productKey: "support", amount: exact("300") }],
    }),
    postings: ["1110:{acme} → 4000:{tokens} 7.3456 USD", "1110:{acme} → 4010:{support} 3.00 USD"],
  },
  {
    area: "sales",
    event: "Revenue recognised",
    story:
      "January is served, so what was invoiced in advance for it is earned: 50.00 − 25.00 + 50.00 = 75.00.",
    entry: revenueRecognised({
      ...on("2026-01-31", "cycle/sub_1/2026-01-01/recognised"),
      cycleId: "sub_1/2026-01-01",
      subscriptionId: "sub_1",
      items: [
        { productKey: "pro", amount: cents(2500n) },
        { productKey: "scale", amount: cents(5000n) },
      ],
    }),
    postings: ["2100:{acme, sub_1} → 4010:{pro} 25.00 USD", "2100:{acme, sub_1} → 4010:{scale} 50.00 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: usage in arrears, the next period in advance",
    story:
      "Usage is invoiced in whole cents: 7.3456 + 3.00 is billed as 10.35, and 10.35 − 10.3456 = 0.0044 is rounding in our favour. Scale for February is 100.00. Total 110.35.",
    entry: invoiceIssued({
      ...on("2026-02-01", "invoice/in_3/issued"),
      ...noLines,
      invoiceId: "in_3",
      accrued: { billed: cents(1035n), booked: exact("1034.56") },
      inAdvance: [{ subscriptionId: "sub_1", amount: cents(10000n) }],
    }),
    postings: [
      "1100:{acme} → 1110:{acme} 10.35 USD",
      "1110:{acme} → 5900 0.0044 USD",
      "1100:{acme} → 2100:{acme, sub_1} 100.00 USD",
    ],
  },
  {
    area: "payments",
    event: "Customer balance applied",
    story: "The 5.00 that acme paid too much settle a part of in_3: 110.35 − 5.00 = 105.35 remain due.",
    entry: customerBalanceApplied({
      ...on("2026-02-01", "invoice/in_3/balance-applied"),
      applicationId: "in_3/1",
      invoiceId: "in_3",
      amount: cents(500n),
    }),
    postings: ["2200:{acme} → 1100:{acme} 5.00 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: credits greater than charges",
    story:
      "In February acme goes down to a smaller plan: 60.00 is credited, 20.00 charged. 20.00 is set against the charge, 60.00 − 20.00 = 40.00 goes to the customer balance. Total 0.",
    entry: invoiceIssued({
      ...on("2026-02-10", "invoice/in_4/issued"),
      ...noLines,
      invoiceId: "in_4",
      inAdvance: [{ subscriptionId: "sub_1", amount: cents(2000n) }],
      prorationCredits: [{ subscriptionId: "sub_1", amount: cents(6000n) }],
    }),
    postings: [
      "1100:{acme} → 2100:{acme, sub_1} 20.00 USD",
      "2100:{acme, sub_1} → 1100:{acme} 20.00 USD",
      "2100:{acme, sub_1} → 2200:{acme} 40.00 USD",
    ],
  },
  {
    area: "corrections",
    event: "Late usage adjusted: too little was booked",
    story:
      "Events of January arrive in February. Rated again, January owes 0.50 more; it goes on the next invoice.",
    entry: lateUsageAdjusted({
      ...on("2026-02-11", "correction/sub_1/2026-01-01/1"),
      correctionId: "sub_1/2026-01-01/1",
      period: january,
      differences: [{ productKey: "tokens", amount: exact("50") }],
    }),
    postings: ["1110:{acme} → 4000:{tokens} 0.50 USD"],
  },
  {
    area: "corrections",
    event: "Late usage adjusted: too much was booked",
    story:
      "A correction takes 4.2534 off January. The last draw is undone first: 4.00 go back to g1 (this much was its last draw in this example); 0.2534 was to be paid, so 0.25 is owed to acme and 0.0034 is rounding.",
    entry: lateUsageAdjusted({
      ...on("2026-02-12", "correction/sub_1/2026-01-01/2"),
      correctionId: "sub_1/2026-01-01/2",
      period: january,
      differences: [{ productKey: "tokens", amount: exact("-25.34") }],
      restored: [{ grantId: "g1", kind: "paid", productKey: "tokens", amount: exact("400") }],
    }),
    postings: [
      "4000:{tokens} → 2000:{acme, g1} 4.00 USD",
      "4000:{tokens} → 2200:{acme} 0.25 USD",
      "4000:{tokens} → 5900 0.0034 USD",
    ],
  },
  {
    area: "sales",
    event: "Proration credited without an invoice",
    story: "acme cancels at once; 10.00 of what was invoiced in advance is unused and becomes theirs.",
    entry: prorationCredited({
      ...on("2026-02-15", "change/sub_1/7/credited"),
      changeId: "sub_1/7",
      subscriptionId: "sub_1",
      amount: cents(1000n),
    }),
    postings: ["2100:{acme, sub_1} → 2200:{acme} 10.00 USD"],
  },
];
