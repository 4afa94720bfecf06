import { BillingError } from "../../domain/errors.ts";

/** A service of the local system cannot run; the message says which, why, and what to do about it. */
export class LocalServiceError extends BillingError {
  readonly code = "local_service_unavailable";
}
