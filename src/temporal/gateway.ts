import {
  type Client,
  type SignalDefinition,
  type UpdateDefinition,
  WithStartWorkflowOperation,
} from "@temporalio/client";
import type * as workflows from "../workflows/index.ts";
import * as messages from "../workflows/messages.ts";
import { priorities } from "../workflows/priorities.ts";
import { runLabels } from "../workflows/run-labels.ts";
import { announcedStart, answered } from "./announced-start.ts";
import { finaliseCycle } from "./finalise-cycle.ts";
import { expectSettling, nudge } from "./nudge.ts";
import { hasRun, type RunToStart, startOnce } from "./start-once.ts";
import { untilHeard } from "./until-heard.ts";

/**
 * The one way in which API, activities and workers talk to workflows: starts, signals and updates with their names,
 * ids, search attributes and summaries in one place.
 */
export class TemporalGateway {
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /** Starts a subscription's run, or finds it running, and has it activated; safe to repeat with the same `requestId`. */
  async activateSubscription(
    input: messages.SubscriptionInput,
    command: messages.ActivateCommand,
  ): Promise<messages.ActivateAnswer> {
    const workflowId = messages.workflowIds.subscription(input.subscriptionId);
    const start = new WithStartWorkflowOperation<typeof workflows.subscription>("subscription", {
      workflowId,
      taskQueue: this.#taskQueue,
      args: [input],
      workflowIdConflictPolicy: "USE_EXISTING",
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      priority: priorities.interactive(input.customerId),
      ...runLabels.subscription(input, command.items[0]?.planKey),
    });
    return await announcedStart(this.#client, { workflowId, clock: input.clock }, () =>
      this.#client.workflow.executeUpdateWithStart(messages.activate, {
        startWorkflowOperation: start,
        updateId: command.requestId,
        args: [command],
      }),
    );
  }

  /** Sends a command to a subscription's run and waits for its answer. The request's id makes repeating it harmless. */
  async commandSubscription<C extends { readonly requestId: string }>(
    subscriptionId: string,
    update: UpdateDefinition<messages.ChangeAnswer, [C]>,
    command: C,
  ): Promise<messages.ChangeAnswer> {
    const handle = this.#client.workflow.getHandle(messages.workflowIds.subscription(subscriptionId));
    const ask = () => handle.executeUpdate(update, { updateId: command.requestId, args: [command] });
    return await answered(this.#client, () => untilHeard(ask));
  }

  /** Starts the collection of an invoice, unless it is being collected already. */
  async startCollection(input: messages.CollectionInput): Promise<void> {
    const workflowId = messages.workflowIds.collection(input.invoiceId);
    await this.#startOnce("collection", workflowId, input, runLabels.collection(input));
  }

  /** Starts the dunning of an invoice, unless it has one. */
  async startDunning(input: messages.DunningInput): Promise<void> {
    const options = { ...runLabels.dunning(input), priority: priorities.dunning(input.customerId) };
    await this.#startOnce("dunning", messages.workflowIds.dunning(input.invoiceId), input, options);
  }

  /** Has a refund sent that was written down, unless that was begun before. */
  async startRefund(input: messages.RefundInput): Promise<void> {
    const workflowId = messages.workflowIds.refund(input.refundId);
    await this.#startOnce("refund", workflowId, input, runLabels.refund(input));
  }

  /** Gives a period a run of its own, unless it has one; it has its first task after `delayMs`. */
  async startBillingCycle(
    input: messages.BillingCycleInput,
    { planKey, delayMs = 0 }: { readonly planKey?: string; readonly delayMs?: number } = {},
  ): Promise<void> {
    const workflowId = messages.cycleRunId(input);
    const startDelay = delayMs > 0 ? { startDelay: delayMs } : {};
    const options = { ...runLabels.billingCycle(input, planKey), ...startDelay };
    await this.#startOnce("billingCycle", workflowId, input, options);
  }

  /** Tells the run of a period, where it has one, that tax was given for it. */
  async tellTaxGiven(
    period: Omit<messages.BillingCycleInput, "customerId" | "periodEnd" | "graceSeconds">,
    cause: string,
  ): Promise<void> {
    const workflowId = messages.cycleRunId(period);
    await nudge(this.#client, workflowId, { clock: period.clock, signal: messages.taxGiven, cause });
  }

  /** Has a period closed now, by its run or by one that is started; one that is closed needs no telling. */
  async finaliseCycle(input: messages.BillingCycleInput, cause: string): Promise<void> {
    const workflowId = messages.cycleRunId(input);
    const isKnown = await hasRun(this.#client, workflowId);
    await finaliseCycle(this.#client, input, { taskQueue: this.#taskQueue, cause, isKnown });
  }

  /** Starts a purchase of credits, or finds it started, and answers with its invoice. */
  async purchaseCredits(input: messages.TopUpInput, at: string): Promise<{ readonly invoiceId: string }> {
    const workflowId = messages.workflowIds.topUp(input.customerId, input.grantId);
    const start = new WithStartWorkflowOperation<typeof workflows.topUp>("topUp", {
      workflowId,
      taskQueue: this.#taskQueue,
      args: [input],
      workflowIdConflictPolicy: "USE_EXISTING",
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      priority: priorities.interactive(input.customerId),
      ...runLabels.topUp(input),
    });
    return await announcedStart(this.#client, { workflowId, clock: input.clock }, () =>
      this.#client.workflow.executeUpdateWithStart(messages.purchase, {
        startWorkflowOperation: start,
        updateId: input.grantId,
        args: [{ at }],
      }),
    );
  }

  /** Voids an invoice by a run of its own, and answers with the one that bills its period anew. */
  async voidInvoice(
    input: messages.CollectionInput,
    command: messages.WithdrawCommand,
  ): Promise<messages.WithdrawAnswer> {
    const workflowId = messages.workflowIds.withdrawal(input.invoiceId);
    if (input.clock !== null)
      await expectSettling(this.#client, input.clock.clockId, { token: `start:${workflowId}` });
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof workflows.withdrawal>("withdrawal", {
      workflowId,
      taskQueue: this.#taskQueue,
      args: [input],
      workflowIdConflictPolicy: "USE_EXISTING",
      ...runLabels.withdrawal(input),
    });
    const { workflow } = this.#client;
    const options = { startWorkflowOperation, updateId: command.requestId, args: [command] } satisfies object;
    return await answered(this.#client, () => workflow.executeUpdateWithStart(messages.withdraw, options));
  }

  /** Whether there is or was a run of an id. */
  hasRun(workflowId: string): Promise<boolean> {
    return hasRun(this.#client, workflowId);
  }

  /** Whether the server answers. */
  async check(): Promise<void> {
    await this.#client.connection.workflowService.getSystemInfo({});
  }

  async startTestClock(input: messages.TestClockInput): Promise<void> {
    const workflowId = messages.workflowIds.testClock(input.clockId);
    await this.#startOnce("testClock", workflowId, input, runLabels.testClock(input));
  }

  /** Sets a clock on its way; it is there when its row says so. */
  async advanceTestClock(clockId: string, to: string): Promise<{ readonly target: string }> {
    const handle = this.#client.workflow.getHandle(messages.workflowIds.testClock(clockId));
    return await answered(this.#client, () => handle.executeUpdate(messages.advance, { args: [{ to }] }));
  }

  /** Tells the run that collects an invoice that something was booked. A run that has ended needs no telling. */
  async tellInvoiceChanged(
    workflowId: string,
    clock: messages.ClockReading | null,
    cause: string,
  ): Promise<void> {
    await nudge(this.#client, workflowId, { clock, signal: messages.invoiceChanged, cause });
  }

  async tellPaymentMethodUpdated(
    invoiceId: string,
    clock: messages.ClockReading | null,
    cause: string,
  ): Promise<void> {
    const workflowId = messages.workflowIds.dunning(invoiceId);
    await nudge(this.#client, workflowId, { clock, signal: messages.paymentMethodUpdated, cause });
  }

  /** Tells the dunning of an invoice something; `cause` names it for good. */
  async tellDunning<Message extends messages.Told>(
    invoiceId: string,
    clock: messages.ClockReading | null,
    signal: SignalDefinition<[Message]>,
    { cause, ...message }: Omit<NoInfer<Message>, keyof messages.Told> & { readonly cause: string },
  ): Promise<void> {
    const workflowId = messages.workflowIds.dunning(invoiceId);
    await nudge(this.#client, workflowId, {
      clock,
      signal: signal as SignalDefinition<[object & messages.Told]>,
      cause,
      extra: message as object,
    });
  }

  async tellPaymentStanding(
    subscriptionId: string,
    clock: messages.ClockReading | null,
    pastDue: boolean,
    cause: string,
  ): Promise<void> {
    const workflowId = messages.workflowIds.subscription(subscriptionId);
    await nudge(this.#client, workflowId, {
      clock,
      signal: messages.paymentStanding,
      cause,
      extra: { pastDue },
    });
  }

  async #startOnce(
    type: string,
    workflowId: string,
    input: RunToStart["input"],
    options: RunToStart["options"],
  ): Promise<void> {
    await startOnce(this.#client, this.#taskQueue, { type, workflowId, input, options });
  }
}
