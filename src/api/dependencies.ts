import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Database, Tx } from "../db/database.ts";
import type { ReservationWriter } from "../db/entitlements/reservation-writer.ts";
import type { DecisionOutcome } from "../db/ledger/adjustments.ts";
import type { Adjustment, AskedCorrection, ReasonCode } from "../domain/adjustments/index.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { GrantScope, RecurringGrant } from "../domain/credits/index.ts";
import type { Currency, Money } from "../domain/money/index.ts";
import type { SetupPage, StripeMeters } from "../stripe/index.ts";
import type { SignIn } from "./access/sign-in-dependencies.ts";
import type { DunningCommands } from "./dunning-dependencies.ts";
import type { Ingest } from "./ingest/ingest.ts";
import type { CreditNoteCommands, InvoiceCommands } from "./invoice-dependencies.ts";
import type { SubscriptionCommands } from "./subscription-dependencies.ts";
import type { TaxCommands } from "./tax-dependencies.ts";

export type * from "./subscription-dependencies.ts";

import type { OperationCommands } from "./operation-dependencies.ts";

/** All that the API needs from outside. `main.ts` puts the real parts together; tests put others in their place. */
export interface ApiDependencies {
  readonly db: Database;
  /** The time, for everything that is not on a test clock. */
  readonly now: () => Instant;
  readonly logger: Logger;
  /** The API adds its own metrics to these and serves them all. */
  readonly metrics: Registry;
  /** What must work, beside the database, before this process should be sent requests. */
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly ingest: Ingest;
  readonly reservations: ReservationWriter;
  /** Usage events that one key may correct within 24 hours by itself; the usual number when left out. */
  readonly unapprovedCorrectionsMax?: number;
  readonly testClocks: TestClockCommands;
  readonly payments: PaymentCommands;
  readonly credits: CreditCommands;
  readonly adjustments: AdjustmentCommands;
  readonly recurringGrants: RecurringGrantCommands;
  readonly creditNotes: CreditNoteCommands;
  readonly dunning: DunningCommands;
  readonly invoices: InvoiceCommands;
  readonly taxes: TaxCommands;
  readonly subscriptions: SubscriptionCommands;
  readonly operations: OperationCommands;
  readonly receiveWebhook: WebhookReceiver;
  readonly stripeMeters: Pick<StripeMeters, "counted" | "list">;
  readonly webhookEndpoints: EndpointPolicy;
  /** Without it nobody signs in here, and keys alone are let in. */
  readonly signIn?: SignIn;
  /** Requests that one caller may make in a second, at each process; the usual number when left out. */
  readonly requestsPerSecondMax?: number;
  /** Secrets that sign snapshots of entitlements, the first of them; without any there are no snapshots. */
  readonly entitlementKeys?: readonly Uint8Array[];
}

/** What webhook endpoints there may be. */
export interface EndpointPolicy {
  /** Under which their signing secrets are kept; without one there can be no endpoint. */
  readonly sealingKeys: readonly Uint8Array[];
  /** Whether addresses that are not public, and plain HTTP, are good enough. */
  readonly privateAllowed: boolean;
}

export interface ReadinessCheck {
  /** Shown in the answer, for example `temporal`. */
  readonly name: string;
  /** Throws when the part cannot be used. */
  readonly check: () => Promise<void>;
}

/** Who asks, and under which id the logs of API, workflow and activity are found together. */
export interface CommandContext {
  readonly correlationId: string;
  /** As it stands in records: `api-key/{id}`, `person/{id}`. */
  readonly actor: string;
}

export interface TestClock {
  readonly id: string;
  readonly currentAt: Instant;
  /** Later than `currentAt` while the clock is on its way. */
  readonly targetAt: Instant;
  /** False until all that was due on the way is done, what is due at the target included. */
  readonly isSettled: boolean;
}

/** Every command may come twice with the same id: it is then done once. */
export interface TestClockCommands {
  /** False in a live deployment, where customers' time cannot be moved. */
  readonly areAllowed: boolean;
  create(clock: { readonly id: string; readonly at: Instant }, context: CommandContext): Promise<TestClock>;
  /** Starts moving the clock and answers at once; refuses to go back and to start before an earlier move has ended. */
  advance(move: { readonly id: string; readonly to: Instant }, context: CommandContext): Promise<TestClock>;
}

/** What may be shown of a card. */
export interface PaymentMethod {
  readonly id: string;
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
}

export interface PaymentCommands {
  /** Makes it the customer's payment method; a declined one is refused with `payment_method_declined`. */
  attachPaymentMethod(
    input: {
      /** Names this attempt for ever: the key of the Stripe calls it makes. */
      readonly requestId: string;
      readonly customerId: string;
      /** What the browser got from Stripe for the card. */
      readonly token: string;
    },
    context: CommandContext,
  ): Promise<PaymentMethod>;
  /** A page of Stripe's on which the customer gives a card. */
  openSetupPage(page: PageRequest, context: CommandContext): Promise<SetupPage>;
  /** A page of Stripe's on which the customer sees to their cards. */
  openPortalPage(page: PageRequest, context: CommandContext): Promise<{ readonly url: string }>;
}

/** Who is to be shown a page, and where they are sent back to. */
export interface PageRequest {
  /** Names this request for good. */
  readonly requestId: string;
  readonly customerId: string;
  readonly returnUrl: string;
}

export interface CreditTerms {
  readonly id: string;
  readonly customerId: string;
  readonly amount: Money;
  /** 0 to 100; the lowest is spent first. */
  readonly priority: number;
  /** What it may pay; everything when left out. */
  readonly scope?: GrantScope | undefined;
  /** From when on; at once when left out. */
  readonly startsAt?: Instant | undefined;
  readonly expiresAt: Instant | null;
  readonly reason: string;
}

/** Sells credit. What is given, or corrected, is an adjustment. */
export interface CreditCommands {
  /** Issues an invoice for prepaid credit; the grant can be spent once it is paid. */
  purchase(terms: CreditTerms, context: CommandContext): Promise<{ readonly invoiceId: string }>;
}

/** What is asked for; its id is made from the request, so the same request is the same adjustment. */
export type AdjustmentRequest = Omit<Adjustment, "correction"> & {
  readonly correction: AskedCorrection;
  /** What else is written in its transaction, once: what it throws undoes both. */
  readonly alongside?: (tx: Tx, at: Instant) => Promise<void>;
};

export interface AdjustmentDecision {
  readonly adjustmentId: string;
  readonly outcome: DecisionOutcome;
  readonly note: string | null;
}

export interface AdjustmentCommands {
  /**
   * Executes an adjustment, or writes it down to wait for somebody else when it is above the limit.
   * @throws AdjustmentImpossibleError when the money is not there: nothing is written down
   */
  request(request: AdjustmentRequest, context: CommandContext): Promise<void>;
  /**
   * Decides about one that waits, once; the same decision by the same key again changes nothing. An approval executes it.
   * @throws AdjustmentImpossibleError when the money is not there: it goes on waiting
   */
  decide(decision: AdjustmentDecision, context: CommandContext): Promise<void>;
}

/** What is to be given again and again. */
export interface RecurringGrantRequest {
  readonly customerId: string;
  readonly currency: Currency;
  readonly grant: RecurringGrant;
  readonly reasonCode: ReasonCode;
  readonly reason: string | null;
}

export interface RecurringGrantDecision extends Omit<AdjustmentDecision, "adjustmentId"> {
  readonly recurringGrantId: string;
}

/** Credit that is given again and again: agreed to once, above the limit by two keys. */
export interface RecurringGrantCommands {
  /** Writes down what is to be given, to begin at once or when somebody else agrees. */
  request(request: RecurringGrantRequest, context: CommandContext): Promise<void>;
  /** Decides about one that waits, once; the same decision by the same key again changes nothing. */
  decide(decision: RecurringGrantDecision, context: CommandContext): Promise<void>;
  /** Ends one that is agreed to: nothing more is given, and what was given stays. */
  end(
    ending: { readonly recurringGrantId: string; readonly reason: string | null },
    context: CommandContext,
  ): Promise<void>;
}

/** Verifies and keeps a webhook; throws a BillingError when the signature is wrong. A repetition is kept once. */
export type WebhookReceiver = (webhook: {
  readonly rawBody: Buffer;
  readonly signature: string | undefined;
}) => Promise<void>;
