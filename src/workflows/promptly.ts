import { isCancellation, TemporalFailure } from "@temporalio/workflow";
import { databaseActivities, promptActivities } from "./activity-options.ts";
import { refusalOf } from "./refusal.ts";

/**
 * Does a step that may be repeated within the run's own task, which costs a tenth of an activity. When that fails for
 * another reason than a refusal, an activity does it, which is seen and does not give up.
 */
export async function promptly<T>(step: (activities: typeof databaseActivities) => Promise<T>): Promise<T> {
  try {
    return await step(promptActivities);
  } catch (error) {
    if (!isWorthAnother(error)) throw error;
    return await step(databaseActivities);
  }
}

/** Whether what failed within the task may succeed outside of it: a refusal says the same again. */
export function isWorthAnother(error: unknown): boolean {
  return error instanceof TemporalFailure && !isCancellation(error) && refusalOf(error) === null;
}
