import { BillingError } from "../domain/errors.ts";

/** One of several things that are wrong with a request. */
export interface Fault {
  readonly field: string;
  readonly detail: string;
}

/** A refusal by the HTTP layer: the request itself is at fault, before any billing rule was asked. */
export class RequestRefusedError extends BillingError {
  readonly code: string;
  /** All that is wrong, where that is known; `field` is the first of it. */
  readonly faults: readonly Fault[];

  constructor(code: string, message: string, field?: string, faults: readonly Fault[] = []) {
    super(message, field);
    this.code = code;
    this.faults = faults;
  }
}

/** `customer_not_found` and its like; the message repeats the id, because callers mix ids up. */
export class NotFoundError extends BillingError {
  readonly code: string;

  constructor(resource: string, id: string) {
    super(`there is no ${resource.replaceAll("_", " ")} "${id}": check the id`);
    this.code = `${resource}_not_found`;
  }
}

/** Gives what was found; refuses when there is nothing. */
export function found<Thing>(thing: Thing | undefined, resource: string, id: string): Thing {
  if (thing === undefined) throw new NotFoundError(resource, id);
  return thing;
}
