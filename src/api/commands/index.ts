import type { Database } from "../../db/database.ts";
import type { ApprovalLimits } from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { StripeRail } from "../../stripe/index.ts";
import { withCorrelationId } from "../../temporal/correlation.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import type { TemporalOperators } from "../../temporal/operators.ts";
import type { TemporalQueues } from "../../temporal/queues.ts";
import type { ApiDependencies, CommandContext } from "../dependencies.ts";
import { adjustmentCommands } from "./adjustment-commands.ts";
import { creditCommands } from "./credit-commands.ts";
import { creditNoteCommands } from "./credit-note-commands.ts";
import { dunningCommands } from "./dunning-commands.ts";
import { invoiceCommands } from "./invoice-commands.ts";
import { operationCommands } from "./operation-commands.ts";
import { paymentCommands } from "./payment-commands.ts";
import { recurringGrantCommands } from "./recurring-grant-commands.ts";
import { subscriptionCommands } from "./subscription-commands.ts";
import { taxCommands } from "./tax-commands.ts";
import { testClockCommands } from "./test-clock-commands.ts";

export interface CommandParts {
  readonly db: Database;
  readonly gateway: TemporalGateway;
  readonly operators: TemporalOperators;
  readonly queues: TemporalQueues;
  readonly rail: StripeRail;
  /** The wall clock. */
  readonly now: () => Instant;
  readonly testClocksAllowed: boolean;
  readonly approvalLimits: ApprovalLimits;
}

/** Everything the API does beyond reading: through workflows, the ledger and Stripe. */
export function commands({
  db,
  gateway,
  operators,
  queues,
  rail,
  now,
  testClocksAllowed,
  approvalLimits,
}: CommandParts): Pick<
  ApiDependencies,
  | "subscriptions"
  | "credits"
  | "adjustments"
  | "recurringGrants"
  | "creditNotes"
  | "dunning"
  | "invoices"
  | "taxes"
  | "payments"
  | "testClocks"
  | "operations"
> {
  return {
    subscriptions: underRequestIds(subscriptionCommands(db, gateway)),
    credits: underRequestIds(creditCommands({ db, now }, gateway)),
    adjustments: adjustmentCommands({ db, now, approvalLimits }),
    recurringGrants: recurringGrantCommands({ db, now, approvalLimits }),
    creditNotes: underRequestIds(creditNoteCommands({ db, now, approvalLimits }, gateway)),
    dunning: underRequestIds(dunningCommands({ db, now }, gateway)),
    invoices: underRequestIds(invoiceCommands({ db, now }, gateway)),
    taxes: underRequestIds(taxCommands({ db, now }, gateway)),
    payments: underRequestIds(paymentCommands(db, rail, gateway, now)),
    testClocks: underRequestIds(testClockCommands(db, gateway, testClocksAllowed)),
    operations: underRequestIds(operationCommands({ db, now, operators, queues })),
  };
}

/**
 * Each command runs under the id of its request, which then goes with all that workflows are told. What only asks tells them
 * nothing, and is given no context.
 */
function underRequestIds<Commands extends object>(commands: Commands): Commands {
  const entries = Object.entries(commands).map(([name, command]) => [
    name,
    typeof command === "function"
      ? (input: unknown, context?: CommandContext) =>
          context === undefined
            ? command(input)
            : withCorrelationId(context.correlationId, () => command(input, context))
      : command,
  ]);
  return Object.fromEntries(entries) as Commands;
}
