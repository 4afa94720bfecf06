import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import { resolveStep, type StepResolution, tryAgain } from "./messages.ts";
import { searchAttributes } from "./search-attributes.ts";

/**
 * Runs a step that must not be lost. When it fails for good, the run is parked: it shows what is wrong and what can
 * be done, is found by `NeedsAttention = true`, and tries again when an operator says so by the update `resolveStep` or the
 * signal `tryAgain`. Where the run can go on without the step, `withoutIt` gives what it goes on with, and an operator may
 * skip it.
 */
export async function orPark<T>(what: string, step: () => Promise<T>, withoutIt?: () => T): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const how = await untilResolved(what, error, withoutIt !== undefined);
      if (how === "skip" && withoutIt !== undefined) return withoutIt();
    }
  }
}

async function untilResolved(
  what: string,
  failure: ActivityFailure,
  canSkip: boolean,
): Promise<StepResolution["how"]> {
  const resolution = awaitOperator(what, canSkip);
  const cause = failure.cause instanceof ApplicationFailure ? failure.cause : failure;
  const errorClass = cause instanceof ApplicationFailure ? (cause.type ?? "unknown") : "activity_failed";
  upsertSearchAttributes([
    { key: searchAttributes.needsAttention, value: true },
    { key: searchAttributes.errorClass, value: errorClass },
  ]);
  const choices = canSkip ? "retry it, or skip it: the run can go on without" : "retry it";
  setCurrentDetails(
    `**Parked**: ${what} failed with \`${errorClass}\`.\n\n> ${cause.message}\n\nMend the cause, then ${choices} ` +
      "(`reckoner operations`, or signal `tryAgain`).",
  );
  await condition(() => resolution.how !== null);
  upsertSearchAttributes([
    { key: searchAttributes.needsAttention, value: false },
    { key: searchAttributes.errorClass, value: null },
  ]);
  const how = resolution.how ?? "retry";
  setCurrentDetails(how === "skip" ? `Went on without: ${what}.` : `Trying again: ${what}.`);
  return how;
}

/** Decided once: what comes after that is about a step that is not parked any more. */
function awaitOperator(what: string, canSkip: boolean): { how: StepResolution["how"] | null } {
  const resolution: { how: StepResolution["how"] | null } = { how: null };
  setHandler(tryAgain, () => {
    resolution.how ??= "retry";
  });
  const decide = ({ how }: StepResolution) => {
    resolution.how = how;
    return { step: what };
  };
  setHandler(resolveStep, decide, {
    validator({ how }) {
      if (resolution.how !== null) throw refusal("step_not_parked", "no step of this run is parked");
      if (how === "skip" && !canSkip) {
        throw refusal("step_not_skippable", `the run cannot go on without: ${what}`);
      }
    },
  });
  return resolution;
}

const refusal = (code: string, message: string) => ApplicationFailure.nonRetryable(message, code);
