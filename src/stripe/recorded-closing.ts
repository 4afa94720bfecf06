import { StripeCallError, StripeInvoiceStateError } from "./errors.ts";
import { type RecordedCall, recordedCall } from "./operations.ts";

/** A call after which something at Stripe is in a state that it was asked to be in. */
export type Closing = Omit<RecordedCall<unknown>, "find" | "send"> & {
  /** What is closed there. */
  readonly stripeId: string;
  /** Where it has to be afterwards. */
  readonly status: string;
  readonly close: (options: { idempotencyKey: string }) => Promise<unknown>;
  readonly readStatus: () => Promise<string>;
};

/**
 * Closes an invoice or an intent for good. A refusal is no failure where it is in that state already; where it is in another,
 * paid for one, this throws a {@link StripeInvoiceStateError}.
 */
export async function recordedClosing(closing: Closing): Promise<void> {
  const { stripeId, status, close, readStatus, ...call } = closing;
  try {
    await recordedCall({
      ...call,
      send: async (options) => {
        await close(options);
        return { status };
      },
      find: async () => ((await readStatus()) === status ? { status } : undefined),
    });
  } catch (error) {
    const isRefusal = error instanceof StripeCallError && error.failure.kind === "invalid_request";
    if (!isRefusal) throw error;
    const now = await readStatus();
    if (now !== status) throw new StripeInvoiceStateError(stripeId, now);
  }
}
