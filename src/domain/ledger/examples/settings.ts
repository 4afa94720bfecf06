import { formatMoney, isZero, type Money, subtractMoney } from "../../money/index.ts";
import { balanceTransactionRecorded, paymentSucceeded, prepaidCreditsFunded } from "../entries/index.ts";
import type { Area } from "./areas.ts";
import { happeningTo, type WorkedExample } from "./worked-example.ts";

/** What happens before most stories begin: something was paid, its credits can be spent, its money is at Stripe. */
export function settingsFor(customerId: string, area: Area, currencyCode = "usd") {
  const on = happeningTo(customerId, currencyCode);
  const setting = { area, isSetting: true } as const;
  return {
    paid(day: string, paid: { paymentId: string; invoiceId: string; amount: Money }): WorkedExample {
      const { paymentId, invoiceId, amount } = paid;
      return {
        ...setting,
        event: "Payment succeeded",
        story: `${invoiceId} is paid.`,
        entry: paymentSucceeded({
          ...on(day, `payment/${paymentId}/succeeded`),
          paymentId,
          invoiceId,
          received: amount,
          due: amount,
        }),
        postings: [`1010 → 1100:{${customerId}} ${formatMoney(amount)}`],
      };
    },

    funded(
      day: string,
      funded: { purchaseId: string; grantId: string; invoiceId: string; amount: Money },
    ): WorkedExample {
      const { purchaseId, grantId, amount } = funded;
      return {
        ...setting,
        event: "Prepaid credits funded",
        story: `Its credits are grant ${grantId}.`,
        entry: prepaidCreditsFunded({ ...on(day, `purchase/${purchaseId}/funded`), ...funded }),
        postings: [
          `2005:{${customerId}, ${purchaseId}} → 2000:{${customerId}, ${grantId}} ${formatMoney(amount)}`,
        ],
      };
    },

    settled(
      day: string,
      settled: { balanceTransactionId: string; paymentId: string; gross: Money; fee: Money },
    ): WorkedExample {
      const { balanceTransactionId, paymentId, gross, fee } = settled;
      return {
        ...setting,
        event: "Balance transaction recorded",
        story: `${paymentId} reaches Stripe${isZero(fee) ? ", without a fee" : ""}.`,
        entry: balanceTransactionRecorded({ ...on(day, `stripe/${balanceTransactionId}`), ...settled }),
        postings: [
          `1000 → 1010 ${formatMoney(subtractMoney(gross, fee))}`,
          ...(isZero(fee) ? [] : [`5000 → 1010 ${formatMoney(fee)}`]),
        ],
      };
    },
  };
}
