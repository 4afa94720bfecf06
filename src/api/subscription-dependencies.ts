import type { Instant } from "../domain/calendar/index.ts";
import type { UnusedTime } from "../domain/invoicing/index.ts";
import type { ChangeTime } from "../domain/lifecycle/index.ts";
import type { ChangeOptions, PauseChoices, StartChoices } from "../workflows/messages.ts";
import type { CommandContext } from "./dependencies.ts";

/** Who asks for what, when it takes effect, and under which id it is the same request. */
export interface SubscriptionCommand {
  readonly requestId: string;
  readonly subscriptionId: string;
  readonly at: Instant;
}

export interface SubscriptionChangeCommand extends SubscriptionCommand {
  /** What the change says for itself, and what its preview came to. */
  readonly options?: ChangeOptions;
  /** Now, when left out. */
  readonly when?: ChangeTime;
}

/** What a change came to; read the subscription and the invoice for the rest. */
export interface SubscriptionChanged {
  readonly effectiveAt: string;
  readonly invoiceId: string | null;
  /** The id under which what is made later can be withdrawn. */
  readonly scheduled?: string;
}

/** A plan, and the name under which is written down what is agreed instead of its prices. */
export interface WantedPlan {
  readonly planKey: string;
  readonly agreement?: string;
}

/** Sent to the subscription's workflow, which takes them one at a time and refuses what its state does not allow. */
export interface SubscriptionCommands {
  activate(
    command: SubscriptionCommand & {
      readonly customerId: string;
      readonly items: readonly (WantedPlan & { readonly seats: number })[];
      readonly start?: StartChoices;
    },
    context: CommandContext,
  ): Promise<{ readonly invoiceId: string | null }>;
  changePlan(
    command: SubscriptionChangeCommand & WantedPlan & { readonly seats: number | undefined },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  changeQuantity(
    command: SubscriptionChangeCommand & { readonly seats: number },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  addAddOn(
    command: SubscriptionChangeCommand & WantedPlan & { readonly seats: number },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  cancel(
    command: SubscriptionChangeCommand & {
      readonly when: ChangeTime;
      readonly unused: UnusedTime;
    },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  removeAddOn(
    command: SubscriptionChangeCommand & { readonly planKey: string },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  endTrial(command: SubscriptionChangeCommand, context: CommandContext): Promise<SubscriptionChanged>;
  uncancel(command: SubscriptionChangeCommand, context: CommandContext): Promise<SubscriptionChanged>;
  /** Takes back what was agreed for later, by the id that its answer named. */
  withdrawScheduled(
    command: SubscriptionChangeCommand & { readonly changeId: string },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  pause(
    command: SubscriptionChangeCommand & { readonly pause?: PauseChoices },
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
  resume(command: SubscriptionChangeCommand, context: CommandContext): Promise<SubscriptionChanged>;
}
