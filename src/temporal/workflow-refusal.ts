import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { BillingError } from "../domain/errors.ts";

/** A workflow's refusal as it is told to callers: the code it was refused with, and why. */
export class WorkflowRefusal extends BillingError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Nobody has answered in time. Not a refusal: the update may go on, and asking again with the same id gets its answer. */
export class WorkflowSilentError extends BillingError {
  readonly code = "unavailable";

  constructor() {
    super("the workers do not answer now: send the same request again, it is done once");
  }
}

/** What a failure of an update means to the caller: a refusal with its own code, or that nobody answers now. */
export function refusalOf(error: unknown): WorkflowRefusal | WorkflowSilentError | null {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (cause instanceof ApplicationFailure && cause.nonRetryable && cause.type) {
    return new WorkflowRefusal(cause.type, cause.message);
  }
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) {
    return new WorkflowRefusal("workflow_ended", "what this is about has ended or never began");
  }
  return error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ? new WorkflowSilentError() : null;
}
