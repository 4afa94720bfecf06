/** Every state of a subscription; what each means is in docs/lifecycle.md. */
export const subscriptionStatuses = [
  "incomplete",
  "trialing",
  "active",
  "past_due",
  "paused",
  "canceled",
  "incomplete_expired",
] as const;
export type SubscriptionStatus = (typeof subscriptionStatuses)[number];

/** In which a subscription may begin. */
export const firstStatuses: readonly SubscriptionStatus[] = ["incomplete", "trialing", "active"];

/** Which states follow each; those that none follows are terminal. The database refuses every other step. */
export const statusTransitions: Readonly<Record<SubscriptionStatus, readonly SubscriptionStatus[]>> = {
  incomplete: ["active", "incomplete_expired"],
  trialing: ["active", "paused", "canceled"],
  active: ["past_due", "paused", "canceled"],
  past_due: ["active", "paused", "canceled"],
  paused: ["active", "canceled"],
  canceled: [],
  incomplete_expired: [],
};

export const isTerminal = (status: SubscriptionStatus): boolean => statusTransitions[status].length === 0;

/** Everything that can be asked of a subscription. */
export const subscriptionCommands = [
  "change_plan",
  "change_quantity",
  "add_add_on",
  "remove_add_on",
  "end_trial",
  "pause",
  "resume",
  "cancel",
  "uncancel",
  "withdraw",
] as const;
export type SubscriptionCommandKind = (typeof subscriptionCommands)[number];

export type StateRefusalCode =
  | "subscription_canceled"
  | "subscription_incomplete"
  | "subscription_incomplete_expired"
  | "subscription_paused"
  | "subscription_not_paused"
  | "subscription_trialing"
  | "subscription_not_trialing";

type Admissions = Readonly<Record<SubscriptionCommandKind, "allowed" | StateRefusalCode>>;

const all = (code: "allowed" | StateRefusalCode): Admissions => ({
  change_plan: code,
  change_quantity: code,
  add_add_on: code,
  remove_add_on: code,
  end_trial: code,
  pause: code,
  resume: code,
  cancel: code,
  uncancel: code,
  withdraw: code,
});

const running: Admissions = {
  ...all("allowed"),
  end_trial: "subscription_not_trialing",
  resume: "subscription_not_paused",
};

/** What each state allows, and with which code it refuses the rest. */
export const commandTable: Readonly<Record<SubscriptionStatus, Admissions>> = {
  incomplete: all("subscription_incomplete"),
  trialing: { ...all("allowed"), pause: "subscription_trialing", resume: "subscription_not_paused" },
  active: running,
  past_due: running,
  paused: {
    ...all("subscription_paused"),
    end_trial: "subscription_not_trialing",
    resume: "allowed",
    cancel: "allowed",
    uncancel: "allowed",
    withdraw: "allowed",
  },
  canceled: all("subscription_canceled"),
  incomplete_expired: all("subscription_incomplete_expired"),
};
