import { ApplicationFailure, CancelledFailure, type Context } from "@temporalio/activity";
import type { ActivityInterceptors, ActivityInterceptorsFactory } from "@temporalio/worker";
import type { Logger } from "pino";
import { Histogram, type Registry } from "prom-client";
import { correlationId, correlationIdIn, withCorrelationId } from "../temporal/correlation.ts";

/** `failed` is tried again; `refused` is not: a rule, or Stripe, said no, or an invariant is broken. */
type Outcome = "completed" | "failed" | "refused" | "canceled";

/**
 * Measures every activity and writes one line for each attempt, found with the request that it follows from by
 * `correlation_id`; the activity's own log lines and what it tells other workflows carry that id too.
 */
export function observeActivities(logger: Logger, metrics: Registry): ActivityInterceptorsFactory {
  const duration = new Histogram({
    name: "reckoner_activity_duration_seconds",
    help: "Time that one attempt of an activity took.",
    labelNames: ["activity", "outcome"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [metrics],
  });

  function observed({ info }: Context, outcome: Outcome, seconds: number, error?: unknown): void {
    const activity = info.activityType;
    duration.observe({ activity, outcome }, seconds);
    const failure = error instanceof ApplicationFailure ? { error_class: error.type } : {};
    const line = {
      correlation_id: correlationId(),
      workflow_id: info.workflowExecution?.workflowId,
      activity,
      attempt: info.attempt,
      outcome,
      ms: Math.round(seconds * 1000),
      ...failure,
    };
    if (outcome === "failed") logger.warn({ ...line, err: error }, "activity");
    else logger[outcome === "refused" ? "warn" : "info"](line, "activity");
  }

  return (context): ActivityInterceptors => ({
    inbound: {
      execute: (input, next) =>
        withCorrelationId(correlationIdIn(input.headers), async () => {
          const startedAt = performance.now();
          const seconds = () => (performance.now() - startedAt) / 1000;
          try {
            const answer = await next(input);
            observed(context, "completed", seconds());
            return answer;
          } catch (error) {
            observed(context, outcomeOf(error), seconds(), error);
            throw error;
          }
        }),
    },
    outbound: {
      getLogAttributes: (input, next) => ({ ...next(input), correlation_id: correlationId() }),
    },
  });
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof CancelledFailure) return "canceled";
  return error instanceof ApplicationFailure && error.nonRetryable ? "refused" : "failed";
}
