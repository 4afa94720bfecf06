import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  admitCommand,
  billedFrom,
  commandTable,
  firstStatuses,
  isTerminal,
  type SubscriptionCommandKind,
  type SubscriptionStanding,
  type SubscriptionStatus,
  statusTransitions,
  subscriptionCommands,
  subscriptionStatuses,
  trialOutcome,
} from "../../../src/domain/lifecycle/index.ts";

const inPeriod = "2026-01-15T12:00:00.000Z";
const active: SubscriptionStanding = {
  status: "active",
  cancelAt: null,
  periodStart: "2026-01-01T00:00:00.000Z",
  periodEnd: "2026-02-01T00:00:00.000Z",
};

const codeOf = (standing: SubscriptionStanding, command: Parameters<typeof admitCommand>[1]) => {
  try {
    admitCommand(standing, command);
    return "allowed";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const changes: SubscriptionCommandKind[] = ["change_plan", "change_quantity", "add_add_on", "remove_add_on"];

test.each<{ status: SubscriptionStatus; allowed: SubscriptionCommandKind[] }>([
  { status: "incomplete", allowed: [] },
  { status: "trialing", allowed: [...changes, "end_trial", "cancel", "withdraw"] },
  { status: "active", allowed: [...changes, "pause", "cancel", "withdraw"] },
  { status: "past_due", allowed: [...changes, "pause", "cancel", "withdraw"] },
  { status: "paused", allowed: ["resume", "cancel", "withdraw"] },
  { status: "canceled", allowed: [] },
  { status: "incomplete_expired", allowed: [] },
])("a subscription that is $status allows $allowed", ({ status, allowed }) => {
  const admitted = subscriptionCommands.filter(
    (kind) => codeOf({ ...active, status }, { kind, at: inPeriod }) === "allowed",
  );
  expect(admitted).toEqual(allowed);
});

test("V11: what is final is left by nothing, and allows nothing", () => {
  const final = subscriptionStatuses.filter(isTerminal);
  expect(final).toEqual(["canceled", "incomplete_expired"]);
  for (const status of final) expect(Object.values(commandTable[status])).not.toContain("allowed");
});

test("every state is reached from a first one, and its end from every other", () => {
  const reached = new Set<SubscriptionStatus>(firstStatuses);
  for (const status of reached) for (const next of statusTransitions[status]) reached.add(next);
  expect([...reached].toSorted()).toEqual([...subscriptionStatuses].toSorted());
});

test.each([
  { why: "an end is agreed", standing: { cancelAt: active.periodEnd }, kind: "uncancel", code: "allowed" },
  { why: "none is agreed", standing: {}, kind: "uncancel", code: "subscription_not_canceling" },
  {
    why: "it is over already",
    standing: {},
    kind: "change_plan",
    when: { at: "2026-01-15T11:00:00.000Z" },
    code: "scheduled_change_not_ahead",
  },
  {
    why: "nobody plans so far ahead",
    standing: {},
    kind: "change_plan",
    when: { at: "2029-03-01T00:00:00.000Z" },
    code: "scheduled_change_too_far_ahead",
  },
  {
    why: "the period ends with it all",
    standing: { cancelAt: active.periodEnd },
    kind: "change_plan",
    when: "period_end",
    code: "scheduled_change_after_end",
  },
  {
    why: "an end is agreed",
    standing: { status: "trialing", cancelAt: active.periodEnd },
    kind: "end_trial",
    code: "subscription_canceling",
  },
  { why: "the next period", standing: {}, kind: "pause", when: "period_end", code: "allowed" },
] as const)("$kind, $why: $code", ({ standing, kind, code, ...rest }) => {
  expect(codeOf({ ...active, ...standing }, { kind, at: inPeriod, ...rest })).toBe(code);
});

test.each([
  { card: true, terms: { endAction: "convert" }, follows: "convert" },
  { card: false, terms: { endAction: "convert" }, follows: "convert" },
  { card: false, terms: { endAction: "convert", withoutPaymentMethod: "pause" }, follows: "pause" },
  { card: true, terms: { endAction: "convert", withoutPaymentMethod: "pause" }, follows: "convert" },
] as const)("after a trial, with a card $card: $follows", ({ card, terms, follows }) => {
  expect(trialOutcome({ ...terms, anchor: "trial_end" }, card)).toBe(follows);
});

const at = instant("2026-06-01T00:00:00Z");
test.each([
  { why: "now", start: {}, from: "2026-06-01T00:00:00Z" },
  { why: "backdated", start: { startAt: "2026-03-01T00:00:00Z" }, from: "2026-03-01T00:00:00Z" },
  {
    why: "billed elsewhere until May, whenever it began",
    start: { startAt: "2019-03-01T00:00:00Z", billedThrough: "2026-05-01T00:00:00Z" },
    from: "2026-05-01T00:00:00Z",
  },
  { why: "ahead", start: { startAt: "2026-06-02T00:00:00Z" }, code: "subscription_start_ahead" },
  { why: "too early", start: { startAt: "2025-05-01T00:00:00Z" }, code: "subscription_start_too_early" },
  {
    why: "billed elsewhere beyond now",
    start: { billedThrough: "2026-06-02T00:00:00Z" },
    code: "subscription_billed_through_invalid",
  },
])("begun $why", ({ start, from, code }) => {
  const wanted = Object.fromEntries(Object.entries(start).map(([name, time]) => [name, instant(time)]));
  const begin = () => billedFrom({ at, ...wanted });
  if (from !== undefined) expect(begin()).toBe(instant(from));
  else expect(begin).toThrow(expect.objectContaining({ code }));
});

test("whatever is asked for, it is admitted or refused with a code", () => {
  const standing = fc.record({
    status: fc.constantFrom(...subscriptionStatuses),
    cancelAt: fc.constantFrom(null, "2026-01-20T00:00:00.000Z", active.periodEnd),
  });
  const command = fc.record({
    kind: fc.constantFrom(...subscriptionCommands),
    at: fc.constantFrom(inPeriod, "2025-12-31T00:00:00.000Z"),
    when: fc.constantFrom("now" as const, "period_end" as const, { at: "2026-03-01T00:00:00.000Z" }),
  });
  fc.assert(
    fc.property(standing, command, (state, wanted) => {
      const code = codeOf({ ...active, ...state }, wanted);
      expect(code).toMatch(/^[a-z_]+$/);
      if (isTerminal(state.status)) expect(code).toBe(`subscription_${state.status}`);
    }),
  );
});
