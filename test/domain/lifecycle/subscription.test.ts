import { expect, test } from "vitest";
import {
  admitCommand,
  type SubscriptionCommandKind,
  type SubscriptionStanding,
} from "../../../src/domain/lifecycle/index.ts";

const active: SubscriptionStanding = {
  status: "active",
  cancelAt: null,
  periodStart: "2026-01-01T00:00:00.000Z",
  periodEnd: "2026-02-01T00:00:00.000Z",
};
const inPeriod = "2026-01-15T12:00:00.000Z";

const everyCommand: SubscriptionCommandKind[] = [
  "change_plan",
  "change_quantity",
  "add_add_on",
  "cancel",
  "pause",
  "resume",
];

test.each([
  { status: "active", allowed: ["change_plan", "change_quantity", "add_add_on", "cancel", "pause"] },
  { status: "past_due", allowed: ["change_plan", "change_quantity", "add_add_on", "cancel", "pause"] },
  { status: "paused", allowed: ["cancel", "resume"] },
  { status: "canceled", allowed: [] },
] as const)("a subscription that is $status allows $allowed", ({ status, allowed }) => {
  const admitted = everyCommand.filter((kind) => {
    try {
      admitCommand({ ...active, status }, { kind, at: inPeriod });
      return true;
    } catch {
      return false;
    }
  });
  expect(admitted).toEqual(allowed);
});

test.each([
  {
    why: "a second cancel is refused",
    standing: { ...active, cancelAt: active.periodEnd },
    kind: "cancel",
    at: inPeriod,
    code: "subscription_already_canceling",
  },
  {
    why: "what is before the period in course may already be billed",
    standing: active,
    kind: "change_plan",
    at: "2025-12-31T23:59:59.999Z",
    code: "subscription_change_backdated",
  },
  {
    why: "canceled is terminal",
    standing: { ...active, status: "canceled" },
    kind: "resume",
    at: inPeriod,
    code: "subscription_canceled",
  },
] as const)("$why", ({ standing, kind, at, code }) => {
  expect(() => admitCommand(standing, { kind, at })).toThrow(expect.objectContaining({ code }));
});
