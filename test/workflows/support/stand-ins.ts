import { onTestFinished } from "vitest";
import { atTheEdge } from "../../../src/activities/edge.ts";
import type { CycleActivities, DatabaseActivities, StripeActivities } from "../../../src/activities/index.ts";
import { startBillingCycle } from "../../../src/activities/start-billing-cycle.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import { type DunningTerms, dunningPolicy } from "../../../src/domain/lifecycle/index.ts";
import type { TemporalGateway } from "../../../src/temporal/gateway.ts";
import { workflowIds } from "../../../src/workflows/messages.ts";

type Activities = CycleActivities & DatabaseActivities & StripeActivities;
export type ActivityName = keyof Activities;
export type InputOf<Name extends ActivityName> = Parameters<Activities[Name]>[0];
type AnswerOf<Name extends ActivityName> = Awaited<ReturnType<Activities[Name]>>;
type Behaviour<Name extends ActivityName> = (
  input: InputOf<Name>,
) => AnswerOf<Name> | Promise<AnswerOf<Name>>;
type Behaviours = { [Name in ActivityName]: Behaviour<Name> };

/** Every activity of the workers, without a database or Stripe: it answers what a test says and remembers what it was asked. */
export class StandIns {
  readonly activities: Activities;
  /** Who is told of a payment of an invoice, as the invoice's row says it. */
  readonly collectedBy = new Map<string, string>();
  readonly #calls: { readonly name: ActivityName; readonly input: unknown }[] = [];
  readonly #gateway: TemporalGateway | undefined;
  #behaviours: Behaviours = this.#defaults();

  /** @param gateway by which runs are begun, as the real activities do it */
  constructor(gateway?: TemporalGateway) {
    this.#gateway = gateway;
    const named = (Object.keys(this.#behaviours) as ActivityName[]).map((name) => [
      name,
      (input: never) => this.#perform(name, input),
    ]);
    this.activities = atTheEdge(Object.fromEntries(named));
  }

  /** From now on this is what the activity does. */
  on<Name extends ActivityName>(name: Name, behaviour: Behaviour<Name>): void {
    this.#behaviours = { ...this.#behaviours, [name]: behaviour };
  }

  /** What the activity does now, to be built upon. */
  behaviourOf<Name extends ActivityName>(name: Name): Behaviours[Name] {
    return this.#behaviours[name];
  }

  /** Answers in this order, the last one for good. */
  inTurn<Name extends ActivityName>(name: Name, ...behaviours: Behaviour<Name>[]): void {
    let turn = 0;
    this.on(name, (input) => {
      const behaviour = behaviours[Math.min(turn++, behaviours.length - 1)];
      if (behaviour === undefined) throw new Error(`nothing is said about ${name}`);
      return behaviour(input);
    });
  }

  /** From now on the activity waits to be let go, by the test's end at the latest: a worker does not close before it. */
  hold<Name extends ActivityName>(
    name: Name,
    behaviour: Behaviour<Name> = this.#behaviours[name],
  ): () => void {
    const held = Promise.withResolvers<void>();
    onTestFinished(() => held.resolve());
    this.on(name, async (input): Promise<AnswerOf<Name>> => {
      await held.promise;
      return behaviour(input);
    });
    return held.resolve;
  }

  /** Back to the behaviour that nobody asked to be otherwise. */
  reset(): void {
    this.#behaviours = this.#defaults();
    this.#calls.length = 0;
  }

  /** What the activity was asked, attempts that failed included, oldest first. */
  asked<Name extends ActivityName>(name: Name): InputOf<Name>[] {
    return this.#calls.filter((call) => call.name === name).map(({ input }) => input as InputOf<Name>);
  }

  /** The names of all that was asked, oldest first; moves of test clocks and the beginning of other runs aside. */
  steps(): ActivityName[] {
    const aside: readonly string[] = ["moveTestClock", ...Object.keys(this.#starts())];
    return this.#calls.map(({ name }) => name).filter((name) => !aside.includes(name));
  }

  async #perform(name: ActivityName, input: never): Promise<unknown> {
    this.#calls.push({ name, input });
    if (name === "collectInvoice" || name === "openDunning") this.#noteCollector(name, input);
    return await this.#behaviours[name](input as never);
  }

  #noteCollector(
    name: "collectInvoice" | "openDunning",
    { invoiceId, collectedBy }: { invoiceId: string; collectedBy?: string | null },
  ): void {
    const collector = name === "openDunning" ? workflowIds.dunning(invoiceId) : collectedBy;
    if (collector != null) this.collectedBy.set(invoiceId, collector);
  }

  #defaults(): Behaviours {
    return {
      ...defaults,
      ...this.#starts(),
      // What is charged first is what the same charge comes to that a test says.
      collectInvoice: ({ invoiceId, at }) =>
        this.activities.payInvoice({ invoiceId, attempt: 1, cause: "first", at }),
    };
  }

  #starts(): Pick<Behaviours, "startBillingCycle" | "startCollection" | "startDunning" | "startRefunds"> {
    const gateway = () => {
      if (this.#gateway === undefined) throw new Error("nothing begins runs here");
      return this.#gateway;
    };
    const now = () => instant(new Date().toISOString());
    return {
      startBillingCycle: (input) => startBillingCycle({ gateway: gateway(), now }, input),
      startCollection: (input) => gateway().startCollection(input),
      startDunning: (input) => gateway().startDunning(input),
      startRefunds: () => undefined,
    };
  }
}

/** Nothing that was agreed for later was due. */
export const nothingApplied = {
  status: "active",
  planKey: "solo",
  cancelAt: null,
  dueAt: null,
  kinds: [],
  issued: [],
} satisfies AnswerOf<"applyScheduled">;

const nothingIssued = { invoiceId: null, collect: false } as const;

/** A dunning by these terms, of a customer about whom nothing is known. */
export const dunningFacts = (terms: DunningTerms) => ({
  policy: dunningPolicy(terms),
  timeZone: "UTC",
  learntHour: null,
  disputes: [],
});

/** A world in which everything goes well and nothing costs anything. */
const defaults: Omit<
  Behaviours,
  "collectInvoice" | "startBillingCycle" | "startCollection" | "startDunning" | "startRefunds"
> = {
  voidInvoice: () => nothingIssued,
  sendRefund: () => ({ state: "succeeded" }),
  openSubscription: ({ at, items }) => ({
    ...nothingIssued,
    standing: {
      status: "active",
      cancelAt: null,
      anchor: { at, unit: "month", count: 1, timeZone: "UTC" },
      graceSeconds: 3600,
      periodIndex: 0,
      closing: { by: "workflow", windowSeconds: 0 },
      planKey: items[0]?.planKey ?? "none",
      answered: [],
    },
  }),
  applyChange: ({ at }) => ({ ...nothingIssued, effectiveAt: at }),
  scheduleCancellation: () => {},
  scheduleChange: ({ effectiveAt }) => ({ dueAt: effectiveAt, cancelAt: null }),
  withdrawScheduled: () => ({ dueAt: null, cancelAt: null }),
  uncancel: () => ({ dueAt: null, cancelAt: null }),
  applyScheduled: () => nothingApplied,
  settleActivation: () => ({ status: "active" }),
  endSubscription: () => nothingIssued,
  closePeriod: () => ({ ...nothingIssued, outcome: "closed" }),
  closeDuePage: () => ({ closed: 0, handedOver: 0, next: null }),
  collectDuePage: () => ({ paid: 0, handedOver: 0, more: false }),
  issueCreditPurchase: ({ grantId }) => ({ invoiceId: `inv_${grantId}` }),
  readInvoiceStatus: () => ({ status: "open" }),
  openDunning: () => dunningFacts({ retryAfterDays: [3, 5, 7], finalAction: "cancel", accessGraceDays: 7 }),
  noteDunning: () => {},
  endDunning: () => {},
  moveTestClock: () => {},
  findStarted: () => ({ hasRun: true }),
  payInvoice: () => ({ status: "paid" }),
  settleInvoice: () => {},
  giveUpInvoice: () => ({ status: "uncollectible" as const }),
};

export const declined = (declineClass: "soft" | "hard") => () =>
  ({
    status: "declined",
    declineCode: declineClass === "soft" ? "insufficient_funds" : "stolen_card",
    declineClass,
  }) as const;
