/** How far a refund has come. What Stripe has never heard of is `requested`; the others are Stripe's words. */
export type RefundProgress =
  | "requested"
  | "pending"
  | "requires_action"
  | "succeeded"
  | "failed"
  | "canceled";

/** What Stripe's word means for a refund that stands at `from`; null when it is no news. States only go forward. */
export function refundStepTo(from: RefundProgress, said: string): RefundProgress | null {
  const to = progressOf(said);
  if (to === from || from === "failed" || from === "canceled") return null;
  // Money that has arrived can still come back; that somebody once waited for it is no news then.
  if (from === "succeeded") return to === "failed" || to === "canceled" ? "failed" : null;
  return to;
}

/** A word that we do not know is not guessed: the refund is still under way. */
function progressOf(said: string): Exclude<RefundProgress, "requested"> {
  switch (said) {
    case "requires_action":
    case "succeeded":
    case "failed":
    case "canceled":
      return said;
    default:
      return "pending";
  }
}
