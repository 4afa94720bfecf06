import { ApplicationFailure, Context } from "@temporalio/activity";
import { queryFailure } from "../db/sql-state.ts";
import { BillingError, InvariantViolation } from "../domain/errors.ts";
import { StripeCallError, type StripeFailure } from "../stripe/index.ts";
import { WorkflowSilentError } from "../temporal/workflow-refusal.ts";

type Activities = Record<string, (input: never) => Promise<unknown>>;

/** How far an activity has come, as its last beat said it: beats of its worker repeat it. */
const progressOf = new WeakMap<Context, unknown>();

/** Says how far the activity under way has come; its next attempt reads it in `heartbeatDetails`. */
export function reportProgress(details: unknown): void {
  const context = Context.current();
  progressOf.set(context, details);
  context.heartbeat(details);
}

/** Often enough for the timeouts of `activity-options.ts`, which take work away from a worker that has died. */
const heartbeatMs = 2_000;

/**
 * What an activity's failure means to Temporal. A refusal will not get better by asking again, and neither will a
 * broken invariant: they fail for good, typed by their code, and the run is parked. Stripe's failures are retried as
 * their kind says. Everything else (a database that is away) is retried as the workflow's policy says.
 * While an activity runs, its worker is heard of.
 */
export function atTheEdge<A extends Activities>(activities: A): A {
  const entries = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      const context = Context.current();
      // Within a workflow's own task there is nobody to hear it.
      const beat = context.info.isLocal ? () => {} : () => context.heartbeat(progressOf.get(context));
      const beating = setInterval(beat, heartbeatMs);
      try {
        return await activity(input);
      } catch (error) {
        throw failureOf(error);
      } finally {
        clearInterval(beating);
      }
    },
  ]);
  return Object.fromEntries(entries);
}

function failureOf(error: unknown): unknown {
  if (error instanceof WorkflowSilentError) return ApplicationFailure.retryable(error.message, error.code);
  if (error instanceof BillingError) return ApplicationFailure.nonRetryable(error.message, error.code);
  if (error instanceof InvariantViolation) {
    return ApplicationFailure.nonRetryable(error.message, "invariant_violated");
  }
  if (error instanceof StripeCallError) return stripeFailure(error);
  // The error of a query tells its parameters; a workflow's history is read by more people than the database.
  const query = queryFailure(error);
  return query === null ? error : ApplicationFailure.retryable(query.message, `query_failed_${query.code}`);
}

function stripeFailure({ message, failure }: StripeCallError): ApplicationFailure {
  const type = `stripe_${failure.kind}`;
  const nextRetryDelay = retryDelayMs(failure);
  if (failure.kind === "invalid_request" || failure.kind === "key_reused" || failure.kind === "declined") {
    return ApplicationFailure.nonRetryable(message, type);
  }
  return ApplicationFailure.create({
    message,
    type,
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
  });
}

/** Undefined leaves it to the policy. Spread at random, so that those who were refused together do not come back together. */
function retryDelayMs(failure: StripeFailure): number | undefined {
  if (failure.kind === "rate_limited") return failure.retryAfterMs + Math.random() * 3_000;
  if (failure.kind === "conflict") return 1_000 + Math.random() * 4_000;
  if (failure.kind === "auth") return 120_000;
  return undefined;
}
