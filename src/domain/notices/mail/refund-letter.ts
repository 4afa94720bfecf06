import type { NoticeData } from "../notice.ts";
import { amountText } from "./billing-letters.ts";
import type { Letter } from "./letter.ts";

/** The money did not arrive, and is not lost. */
export function refundFailed(data: NoticeData["refund.failed"]): Letter {
  const amount = amountText(data.amount_minor, data.currency);
  return {
    subject: `Your refund of ${amount} did not arrive`,
    title: "Your refund did not arrive",
    headline: { name: "In your balance", text: amount, tone: "plain" },
    paragraphs: [
      `Your bank did not take the refund of invoice ${data.number}: the card or account may be closed.`,
      "The money is in your balance with us and pays coming invoices. Write to us if you would rather have it sent elsewhere.",
    ],
    particulars: [{ name: "Invoice", text: data.number }],
    action: null,
  };
}
