import { endings } from "./endings.ts";
import { periodClose } from "./period-close.ts";
import { purchaseAndPayment } from "./purchase-and-payment.ts";
import type { WorkedExample } from "./worked-example.ts";

/** A quarter with the customer acme, in an order in which it could have happened. */
export const acmesQuarter: readonly WorkedExample[] = [...purchaseAndPayment, ...periodClose, ...endings];

/** Every business event, in the order in which tests post them. */
export const workedExamples: readonly WorkedExample[] = [...acmesQuarter];

export { areas } from "./areas.ts";
export type { WorkedExample } from "./worked-example.ts";
