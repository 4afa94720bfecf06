/**
 * A refusal: the caller asked for something the rules do not allow, and asking again will not help.
 * `code` is stable, clients branch on it; `message` says what to do; `field` names the input at fault.
 */
export abstract class BillingError extends Error {
  abstract readonly code: string;
  readonly field?: string;

  constructor(message: string, field?: string) {
    super(message);
    this.name = new.target.name;
    if (field !== undefined) this.field = field;
  }
}

/** A broken promise of our own code: never the caller's fault, always a bug. */
export class InvariantViolation extends Error {
  constructor(message: string) {
    super(`invariant violated: ${message}`);
    this.name = "InvariantViolation";
  }
}

/** States what must be true here; throws an {@link InvariantViolation} when it is not. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

/** For the default branch of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unexpected value ${JSON.stringify(value)}`);
}
