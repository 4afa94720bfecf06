import type { Instant } from "../../../src/domain/calendar/index.ts";
import type { StripeFailure } from "../../../src/stripe/errors.ts";
import type { OperationLog, OperationState } from "../../../src/stripe/operations.ts";

type Entry = {
  readonly requestHash: string;
  readonly firstSentAt: Instant;
  outcome: { readonly response: unknown } | { readonly error: StripeFailure } | undefined;
};

export type MemoryOperationLog = OperationLog & { readonly entries: ReadonlyMap<string, Entry> };

/** The operation log's rules without a database. Outcomes pass through JSON, as they do in Postgres. */
export function memoryOperationLog(): MemoryOperationLog {
  const entries = new Map<string, Entry>();
  const finish = (key: string, outcome: NonNullable<Entry["outcome"]>) => {
    const entry = entries.get(key);
    if (entry === undefined || entry.outcome !== undefined) return;
    entry.outcome = JSON.parse(JSON.stringify(outcome));
  };
  return {
    entries,
    async begin({ key, requestHash, at }): Promise<OperationState<unknown>> {
      const known = entries.get(key);
      if (known === undefined) {
        entries.set(key, { requestHash, firstSentAt: at, outcome: undefined });
        return { state: "new", firstSentAt: at };
      }
      if (known.requestHash !== requestHash) return { state: "reused" };
      if (known.outcome === undefined) return { state: "unknown", firstSentAt: known.firstSentAt };
      return "error" in known.outcome
        ? { state: "refused", error: known.outcome.error }
        : { state: "succeeded", response: known.outcome.response };
    },
    async succeed(key, response) {
      finish(key, { response });
    },
    async refuse(key, error) {
      finish(key, { error });
    },
  };
}
