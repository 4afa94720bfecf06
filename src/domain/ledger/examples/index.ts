import { endings } from "./endings.ts";
import { periodClose } from "./period-close.ts";
import { purchaseAndPayment } from "./purchase-and-payment.ts";
import type { WorkedExample } from "./worked-example.ts";

/** A quarter with the customer acme: every business event, in an order in which it could have happened. */
export const workedExamples: readonly WorkedExample[] = [...purchaseAndPayment, ...periodClose, ...endings];

export type { WorkedExample } from "./worked-example.ts";
