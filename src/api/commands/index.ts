import type { Database } from "../../db/database.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { StripeRail } from "../../stripe/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { creditCommands } from "./credit-commands.ts";
import { paymentCommands } from "./payment-commands.ts";
import { subscriptionCommands } from "./subscription-commands.ts";
import { testClockCommands } from "./test-clock-commands.ts";

export interface CommandParts {
  readonly db: Database;
  readonly gateway: TemporalGateway;
  readonly rail: StripeRail;
  /** The wall clock. */
  readonly now: () => Instant;
  readonly testClocksAllowed: boolean;
}

/** Everything the API does beyond reading: through workflows, the ledger and Stripe. */
export function commands({
  db,
  gateway,
  rail,
  now,
  testClocksAllowed,
}: CommandParts): Pick<ApiDependencies, "subscriptions" | "credits" | "payments" | "testClocks"> {
  return {
    subscriptions: subscriptionCommands(db, gateway),
    credits: creditCommands({ db, now }, gateway),
    payments: paymentCommands(db, rail, gateway, now),
    testClocks: testClockCommands(db, gateway, testClocksAllowed),
  };
}
