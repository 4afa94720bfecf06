import type { SearchAttributePair } from "@temporalio/common";
import type * as messages from "./messages.ts";
import { searchAttributes } from "./search-attributes.ts";

/** What a run is listed as, what is always said of it (in markdown), and by what it is found: from its start, whoever starts it. */
export interface RunLabel {
  readonly staticSummary: string;
  readonly staticDetails: string;
  readonly typedSearchAttributes: SearchAttributePair[];
}

/** Whom and what a run is about; what is not known, or is not so, is left out. */
interface Subject {
  readonly customerId?: string;
  readonly subscriptionId?: string | null;
  readonly invoiceId?: string;
  readonly clock?: messages.ClockReading | null;
}

export const runLabels = {
  subscription: (input: messages.SubscriptionInput, planKey?: string): RunLabel => ({
    staticSummary: `${input.customerId} on ${planKey}`,
    staticDetails: `Subscription \`${input.subscriptionId}\` of customer \`${input.customerId}\`.`,
    typedSearchAttributes: [...found(input), ...ofPlan(planKey)],
  }),
  billingCycle: (input: messages.BillingCycleInput, planKey?: string): RunLabel => ({
    staticSummary: [
      input.customerId,
      ...given(planKey),
      `period from ${input.periodStart.slice(0, 10)}`,
    ].join(", "),
    staticDetails:
      `The period from ${input.periodStart} to ${input.periodEnd} of ${partiesOf(input)}: closed ` +
      `${input.graceSeconds} seconds after its end, later when a source of its usage is behind.`,
    typedSearchAttributes: [
      ...found(input),
      ...ofPlan(planKey),
      { key: searchAttributes.periodEnd, value: new Date(input.periodEnd) },
    ],
  }),
  proration: (input: messages.ProrationInput): RunLabel => ({
    staticSummary: `${input.customerId}: ${input.change.kind}`,
    staticDetails: `Change \`${input.changeId}\` (${input.change.kind}) of ${partiesOf(input)}, as of ${input.at}.`,
    typedSearchAttributes: found(input),
  }),
  collection: (input: messages.CollectionInput): RunLabel => ({
    staticSummary: `Collection of ${input.invoiceId}`,
    staticDetails: `Collects invoice \`${input.invoiceId}\` of ${partiesOf(input)}. Declined, \`dunning/${input.invoiceId}\` goes on with it.`,
    typedSearchAttributes: found(input),
  }),
  dunning: (input: messages.DunningInput): RunLabel => ({
    staticSummary: `Dunning of ${input.invoiceId}`,
    staticDetails: `Invoice \`${input.invoiceId}\` of ${partiesOf(input)} could not be charged at ${input.startedAt} (${input.lastDecline}).`,
    typedSearchAttributes: [...found(input), { key: searchAttributes.billingStatus, value: "past_due" }],
  }),
  refund: (input: messages.RefundInput): RunLabel => ({
    staticSummary: `Refund of ${input.invoiceId}`,
    staticDetails: `Sends refund \`${input.refundId}\` of invoice \`${input.invoiceId}\` to Stripe. How much, by whom and why is with its credit note.`,
    typedSearchAttributes: found(input),
  }),
  withdrawal: (input: messages.CollectionInput): RunLabel => ({
    staticSummary: `Withdrawal of ${input.invoiceId}`,
    staticDetails: `Voids invoice \`${input.invoiceId}\` of ${partiesOf(input)}. By whom and why is with the invoice.`,
    typedSearchAttributes: found(input),
  }),
  topUp: (input: messages.TopUpInput): RunLabel => ({
    staticSummary: `${input.customerId} buys credits`,
    staticDetails: `Customer \`${input.customerId}\` buys the credits of grant \`${input.grantId}\`: they can be spent once paid for.`,
    typedSearchAttributes: found(input),
  }),
  testClock: ({ clockId, now }: messages.TestClockInput): RunLabel => ({
    staticSummary: `Test clock ${clockId}`,
    staticDetails: `The time of all customers on test clock \`${clockId}\`, from ${now} on. It goes on when it is told to.`,
    typedSearchAttributes: found({ clock: { clockId, now } }),
  }),
};

const given = (text: string | undefined): string[] => (text === undefined ? [] : [text]);

const ofPlan = (planKey: string | undefined): SearchAttributePair[] =>
  given(planKey).map((value) => ({ key: searchAttributes.planId, value }));

function found({ customerId, subscriptionId, invoiceId, clock }: Subject): SearchAttributePair[] {
  const values = [
    { key: searchAttributes.customerId, value: customerId },
    { key: searchAttributes.subscriptionId, value: subscriptionId },
    { key: searchAttributes.invoiceId, value: invoiceId },
    { key: searchAttributes.clockId, value: clock?.clockId },
  ];
  return values.flatMap(({ key, value }) => (value == null ? [] : [{ key, value }]));
}

const partiesOf = ({ customerId, subscriptionId }: Subject): string =>
  subscriptionId == null
    ? `customer \`${customerId}\``
    : `subscription \`${subscriptionId}\` of customer \`${customerId}\``;
