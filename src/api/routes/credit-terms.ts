import { z } from "zod";
import type { Instant } from "../../domain/calendar/index.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, positiveMinorInput } from "../wire.ts";
import { scopeInput } from "./credit-scope.ts";

/** What everybody says who gives credit, or sells it. */
export const creditTermsFields = {
  amount_minor: positiveMinorInput,
  priority: z.int().min(0).max(100).default(50).describe("0 to 100; the lowest is spent first."),
  scope: scopeInput.optional(),
  effective_at: instantInput.optional().describe("From when on it can be spent; at once, when left out."),
  expires_at: instantInput.optional().describe("What is left then is lost; never, when left out."),
};

/** @throws RequestRefusedError unless credit takes effect from now on, and ends after that */
export function requireTimes({
  startsAt,
  expiresAt,
  now,
}: {
  readonly startsAt: Instant | undefined;
  readonly expiresAt: Instant | null;
  readonly now: Instant;
}): void {
  if (startsAt !== undefined && startsAt < now) {
    const message = "must not be in the customer's past";
    throw new RequestRefusedError("credit_effective_invalid", message, "effective_at");
  }
  if (expiresAt !== null && expiresAt <= (startsAt ?? now)) {
    const message = "must be in the customer's future, and after it takes effect";
    throw new RequestRefusedError("credit_expiry_invalid", message, "expires_at");
  }
}
