import { ActivityFailure, ApplicationFailure } from "@temporalio/workflow";

/** Why the rules did not allow something: a stable code, and what to do. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** The refusal inside an activity's failure, which a local one is itself; null when it failed for another reason. */
export function refusalOf(error: unknown): Refusal | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure)) return null;
  const { type, nonRetryable, message } = cause;
  return nonRetryable && type ? { code: type, message } : null;
}

/** A refusal of the rules goes back to the caller with its code; anything else stays what it is. */
export async function refusable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    throw ApplicationFailure.nonRetryable(refused.message, refused.code);
  }
}
