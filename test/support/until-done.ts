import { StripeCallError } from "../../src/stripe/index.ts";

/** What a run does with a call that may not have been done: again, under the same keys, until it is known. */
export async function untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let left = 100; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      const mayBeDone =
        error instanceof StripeCallError &&
        ["unavailable", "conflict", "rate_limited"].includes(error.failure.kind);
      if (!mayBeDone || left === 0) throw error;
    }
  }
}
