import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import { tryAgain } from "./messages.ts";
import { searchAttributes } from "./search-attributes.ts";

/**
 * Runs a step that must not be lost. When it fails for good, the run is parked: it shows what is wrong and what can
 * be done, is found by `NeedsAttention = true`, and tries again when an operator signals `tryAgain`.
 */
export async function orPark<T>(what: string, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      await untilTriedAgain(what, error);
    }
  }
}

async function untilTriedAgain(what: string, failure: ActivityFailure): Promise<void> {
  const cause = failure.cause instanceof ApplicationFailure ? failure.cause : failure;
  const errorClass = cause instanceof ApplicationFailure ? (cause.type ?? "unknown") : "activity_failed";
  let resolved = false;
  setHandler(tryAgain, () => {
    resolved = true;
  });
  upsertSearchAttributes([
    { key: searchAttributes.needsAttention, value: true },
    { key: searchAttributes.errorClass, value: errorClass },
  ]);
  setCurrentDetails(
    `**Parked**: ${what} failed with \`${errorClass}\`.\n\n> ${cause.message}\n\nMend the cause, then signal \`tryAgain\`.`,
  );
  await condition(() => resolved);
  upsertSearchAttributes([
    { key: searchAttributes.needsAttention, value: false },
    { key: searchAttributes.errorClass, value: null },
  ]);
  setCurrentDetails(`Trying again: ${what}.`);
}
