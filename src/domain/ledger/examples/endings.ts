import {
  grantExpired,
  grantVoided,
  invoiceIssued,
  invoiceVoided,
  invoiceWrittenOff,
  promotionalCreditsGranted,
  reversalOf,
  writeOffRecovered,
} from "../entries/index.ts";
import type { JournalEntryDraft } from "../journal-entry.ts";
import { periodClose } from "./period-close.ts";
import { purchaseAndPayment } from "./purchase-and-payment.ts";
import { cents, exact, happeningTo, noLines, recorded, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("acme");

function feeInvoice(invoiceId: string, subscriptionId: string, day: string): JournalEntryDraft | null {
  return invoiceIssued({
    ...on(day, `invoice/${invoiceId}/issued`),
    ...noLines,
    invoiceId,
    inAdvance: [{ subscriptionId, amount: cents(3000n) }],
  });
}

const creditsAndDebts: readonly WorkedExample[] = [
  {
    area: "credits",
    event: "Grant expired",
    story:
      "g1 ends with 4.00 left, paid for and never used: breakage. What is left of a gift goes 2010 → 1300.",
    entry: grantExpired({
      ...on("2026-03-01", "grant/g1/expired"),
      grantId: "g1",
      kind: "paid",
      remaining: exact("400"),
    }),
    postings: ["2000:{acme, g1} → 4020 4.00 USD"],
  },
  {
    area: "credits",
    isSetting: true,
    event: "Promotional credits granted",
    story: "acme gets 3.00 as a present.",
    entry: promotionalCreditsGranted({
      ...on("2026-03-01", "grant/g2/granted"),
      grantId: "g2",
      amount: cents(300n),
    }),
    postings: ["1300 → 2010:{acme, g2} 3.00 USD"],
  },
  {
    area: "credits",
    event: "Grant voided",
    story:
      "The present is withdrawn, all 3.00 of it. What is left of a paid grant stays the customer's: 2000 → 2200.",
    entry: grantVoided({
      ...on("2026-03-01", "grant/g2/voided"),
      grantId: "g2",
      kind: "promotional",
      remaining: exact("300"),
    }),
    postings: ["2010:{acme, g2} → 1300 3.00 USD"],
  },
  {
    area: "debts",
    isSetting: true,
    event: "Invoice issued: a fee in advance",
    story: "in_5 is 30.00, and every attempt to collect it fails.",
    entry: feeInvoice("in_5", "sub_1", "2026-03-01"),
    postings: ["1100:{acme} → 2100:{acme, sub_1} 30.00 USD"],
  },
  {
    area: "debts",
    event: "Invoice written off",
    story: "Nobody expects the 30.00 of in_5 any more.",
    entry: invoiceWrittenOff({
      ...on("2026-03-25", "invoice/in_5/written-off"),
      invoiceId: "in_5",
      due: cents(3000n),
    }),
    postings: ["5100 → 1100:{acme} 30.00 USD"],
  },
  {
    area: "debts",
    event: "Write-off recovered",
    story: "acme pays the 30.00 after all. It is owed again, and paid.",
    entry: writeOffRecovered({
      ...on("2026-03-30", "payment/pay_3/recovered"),
      invoiceId: "in_5",
      paymentId: "pay_3",
      received: cents(3000n),
    }),
    postings: ["1100:{acme} → 5100 30.00 USD", "1010 → 1100:{acme} 30.00 USD"],
  },
];

const mistakenInvoice: WorkedExample = {
  area: "corrections",
  isSetting: true,
  event: "Invoice issued: a fee in advance",
  story: "in_6 is 30.00, for a subscription that nobody wanted.",
  entry: feeInvoice("in_6", "sub_2", "2026-03-30"),
  postings: ["1100:{acme} → 2100:{acme, sub_2} 30.00 USD"],
};

const mistakenGrant: WorkedExample = {
  area: "corrections",
  isSetting: true,
  event: "Promotional credits granted",
  story: "9.00 is granted to the wrong customer.",
  entry: promotionalCreditsGranted({
    ...on("2026-03-31", "grant/g3/granted"),
    grantId: "g3",
    amount: cents(900n),
  }),
  postings: ["1300 → 2010:{acme, g3} 9.00 USD"],
};

const beforeUndoing: readonly WorkedExample[] = [...creditsAndDebts, mistakenInvoice, mistakenGrant];

const history: readonly WorkedExample[] = [...purchaseAndPayment, ...periodClose, ...beforeUndoing];

export const endings: readonly WorkedExample[] = [
  ...beforeUndoing,
  {
    area: "corrections",
    event: "Invoice voided",
    story: "in_6 is taken back, line by line.",
    entry: invoiceVoided(on("2026-03-31", "invoice/in_6/voided"), {
      invoiceId: "in_6",
      issued: recorded(mistakenInvoice.entry, history),
    }),
    postings: ["2100:{acme, sub_2} → 1100:{acme} 30.00 USD"],
  },
  {
    area: "corrections",
    event: "Reversal",
    story: "The grant is undone. Any entry can be, once.",
    entry: reversalOf(on("2026-03-31", "grant/g3/granted/reversed"), recorded(mistakenGrant.entry, history)),
    postings: ["2010:{acme, g3} → 1300 9.00 USD"],
  },
];
