import { creditNotes } from "./credit-notes.ts";
import { creditsAndHolds } from "./credits-and-holds.ts";
import { currencies } from "./currencies.ts";
import { disputes } from "./disputes.ts";
import { doubtfulDebts } from "./doubtful-debts.ts";
import { endings } from "./endings.ts";
import { mistakesAndSuspense } from "./mistakes-and-suspense.ts";
import { payouts } from "./payouts.ts";
import { periodClose } from "./period-close.ts";
import { purchaseAndPayment } from "./purchase-and-payment.ts";
import { refunds } from "./refunds.ts";
import { returnedPayment } from "./returned-payment.ts";
import { salesWithTax } from "./sales-with-tax.ts";
import type { WorkedExample } from "./worked-example.ts";

/** A quarter with the customer acme, in an order in which it could have happened. */
export const acmesQuarter: readonly WorkedExample[] = [...purchaseAndPayment, ...periodClose, ...endings];

const afterwards: readonly WorkedExample[] = [
  ...acmesQuarter,
  ...salesWithTax,
  ...creditsAndHolds,
  ...payouts,
  ...refunds,
  ...creditNotes,
  ...disputes,
  ...doubtfulDebts,
];

const withReturnedPayment = [...afterwards, ...returnedPayment(afterwards)];

/** Every business event, in the order in which tests post them. */
export const workedExamples: readonly WorkedExample[] = [
  ...withReturnedPayment,
  ...mistakesAndSuspense(withReturnedPayment),
  ...currencies,
];

export { type Area, areas } from "./areas.ts";
export type { WorkedExample } from "./worked-example.ts";
