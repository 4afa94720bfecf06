/** What codes of the API are called on the screen. */
const words: Readonly<Record<string, string>> = {
  past_due: "Past due",
  trialing: "On trial",
  incomplete: "Waits for its first payment",
  incomplete_expired: "Never began",
  credit_purchase: "Credit purchase",
  pending_approval: "Waits for approval",
  rejected: "Refused",
  cycle: "Period close",
  threshold: "Threshold in mid-period",
  activation: "Start of subscription",
  proration: "Change in mid-period",
};

/** "past_due" becomes "Past due"; a code without an entry of its own is made readable. */
export function wordsFor(code: string): string {
  const text = words[code] ?? code.replaceAll(/[_-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
