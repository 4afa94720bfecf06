import { setTimeout as delay } from "node:timers/promises";
import { isGrpcServiceError, ServiceError } from "@temporalio/client";

const failedPrecondition = 9;
const pauseMs = 100;

/**
 * Asks a run again as long as it has not heard: a task that failed takes the updates that came with it along. So do those in
 * which a run continues as new while signals come without a pause. Ends with the deadline that the client is given.
 */
export async function untilHeard<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!wasNotHeard(error)) throw error;
      await delay(pauseMs);
    }
  }
}

function wasNotHeard(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return (
    isGrpcServiceError(cause) &&
    cause.code === failedPrecondition &&
    cause.details.includes("workflow task failure")
  );
}
