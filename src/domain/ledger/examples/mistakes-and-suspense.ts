import { instant, period } from "../../calendar/index.ts";
import {
  balanceTransactionRecorded,
  balanceTransactionUnmatched,
  clearedFromSuspense,
  lateUsageAdjusted,
  processorFeeRecorded,
  promotionalCreditsGranted,
  reversalCorrected,
  reversalOf,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, merchantFacts, recorded, type WorkedExample } from "./worked-example.ts";

const march = period(instant("2026-03-01T00:00:00Z"), instant("2026-04-01T00:00:00Z"));
const onCedar = happeningTo("cedar");
const onHazel = happeningTo("hazel");

const endedGrants: readonly WorkedExample[] = [
  {
    area: "corrections",
    event: "Late usage adjusted: the paid grant has ended",
    story:
      "A correction takes 0.75 off brook's March, which grant b1 had paid. b1 has expired since, so the 0.75 are brook's balance.",
    entry: lateUsageAdjusted({
      ...happeningTo("brook")("2026-04-12", "correction/sub_3/2026-03-01/1"),
      correctionId: "sub_3/2026-03-01/1",
      period: march,
      differences: [],
      lapsed: [{ grantId: "b1", kind: "paid", productKey: "tokens", amount: exact("75") }],
    }),
    postings: ["4000:{tokens} → 2200:{brook} 0.75 USD"],
  },
  {
    area: "corrections",
    event: "Late usage adjusted: the gift and the goodwill have ended",
    story:
      "0.35 is taken off cedar's March: 0.25 that the gift c1 had paid, 0.10 that goodwill c2 had. Both are gone, and nobody paid for them: revenue is lowered, and so is the discount, or the expense.",
    entry: lateUsageAdjusted({
      ...onCedar("2026-04-12", "correction/sub_9/2026-03-01/1"),
      correctionId: "sub_9/2026-03-01/1",
      period: march,
      differences: [],
      lapsed: [
        { grantId: "c1", kind: "promotional", productKey: "tokens", amount: exact("25") },
        { grantId: "c2", kind: "goodwill", productKey: "tokens", amount: exact("10") },
      ],
    }),
    postings: ["4000:{tokens} → 4900 0.25 USD", "4000:{tokens} → 5200 0.10 USD"],
  },
];

const unexplained: readonly WorkedExample[] = [
  {
    area: "corrections",
    event: "Balance transaction unmatched: money went out",
    story:
      "Stripe takes 2.00, and nothing of ours explains it. The Stripe balance is right at once; somebody must look.",
    entry: balanceTransactionUnmatched({
      ...merchantFacts("2026-04-13", "stripe/txn_25/unmatched"),
      balanceTransactionId: "txn_25",
      net: cents(-200n),
    }),
    postings: ["9100 → 1000 2.00 USD"],
  },
  {
    area: "corrections",
    event: "Suspense cleared: it was a fee",
    story: "It was a charge for card updates. The entry is what it would have been, with 9100 for 1000.",
    entry: clearedFromSuspense(
      processorFeeRecorded({
        ...merchantFacts("2026-04-14", "stripe/txn_25"),
        balanceTransactionId: "txn_25",
        amount: cents(200n),
      }),
      { balanceTransactionId: "txn_25", net: cents(-200n) },
    ),
    postings: ["5000 → 9100 2.00 USD"],
  },
  {
    area: "corrections",
    event: "Balance transaction unmatched: money came in",
    story: "22.50 arrive at Stripe, after a fee, for a payment that we do not know.",
    entry: balanceTransactionUnmatched({
      ...merchantFacts("2026-04-15", "stripe/txn_26/unmatched"),
      balanceTransactionId: "txn_26",
      net: cents(2250n),
    }),
    postings: ["1000 → 9100 22.50 USD"],
  },
  settingsFor("hazel", "corrections").paid("2026-04-15", {
    paymentId: "pay_12",
    invoiceId: "in_19",
    amount: cents(2300n),
  }),
  {
    area: "corrections",
    event: "Suspense cleared: it was a payment",
    story: "It was hazel's transfer of the 23.00 owed, whose news came late: 23.00 − 0.50 = 22.50.",
    entry: clearedFromSuspense(
      balanceTransactionRecorded({
        ...onHazel("2026-04-16", "stripe/txn_26"),
        balanceTransactionId: "txn_26",
        paymentId: "pay_12",
        gross: cents(2300n),
        fee: cents(50n),
      }),
      { balanceTransactionId: "txn_26", net: cents(2250n) },
    ),
    postings: ["9100 → 1010 22.50 USD", "5000 → 1010 0.50 USD"],
  },
];

const gift: WorkedExample = {
  area: "corrections",
  isSetting: true,
  event: "Promotional credits granted",
  story: "cedar gets another gift, c4 of 2.00.",
  entry: promotionalCreditsGranted({
    ...onCedar("2026-04-17", "grant/c4/granted"),
    grantId: "c4",
    amount: cents(200n),
  }),
  postings: ["1300 → 2010:{cedar, c4} 2.00 USD"],
};

/** @param earlier the examples before these: what undoes an entry names its id */
export function mistakesAndSuspense(earlier: readonly WorkedExample[]): WorkedExample[] {
  const history = [...earlier, ...endedGrants, ...unexplained, gift];
  const mistake: WorkedExample = {
    area: "corrections",
    isSetting: true,
    event: "Reversal",
    story: "Somebody undoes it by mistake.",
    entry: reversalOf(onCedar("2026-04-18", "grant/c4/granted/reversed"), recorded(gift.entry, history)),
    postings: ["2010:{cedar, c4} → 1300 2.00 USD"],
  };
  return [
    ...endedGrants,
    ...unexplained,
    gift,
    mistake,
    {
      area: "corrections",
      event: "Reversal corrected",
      story: "A reversal is not reversed. A new entry says again what the undone one said.",
      entry: reversalCorrected(
        onCedar("2026-04-18", "grant/c4/granted/again"),
        recorded(mistake.entry, [...history, mistake]),
      ),
      postings: ["1300 → 2010:{cedar, c4} 2.00 USD"],
    },
  ];
}
