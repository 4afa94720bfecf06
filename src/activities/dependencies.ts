import type { Database } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { StripeRail } from "../stripe/rail.ts";
import type { TemporalGateway } from "../temporal/gateway.ts";
import type { TrialGate } from "./trial-gate.ts";

/** What activities act on; the workers put the real parts together. */
export interface ActivityDependencies {
  readonly db: Database;
  readonly rail: StripeRail;
  readonly gateway: TemporalGateway;
  /** The wall clock: how old a call to Stripe is has nothing to do with a customer's test clock. */
  readonly now: () => Instant;
  /** Asked before a trial begins; one for a customer and for a card, when left out. */
  readonly trialGate?: TrialGate;
}
