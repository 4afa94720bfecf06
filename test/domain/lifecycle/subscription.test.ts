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

test.each([
  { when: "now", resumesAt: "2026-01-15T12:00:00.000Z", why: "with the pause" },
  { when: "now", resumesAt: "2026-01-15T11:59:59.999Z", why: "before it" },
  {
    when: { at: "2026-01-20T00:00:00Z" },
    resumesAt: "2026-01-20T00:00:00Z",
    why: "with the date of the pause",
  },
  {
    when: "period_end",
    resumesAt: "2026-02-01T00:00:00Z",
    why: "with the period's end, when the pause begins",
  },
] as const)("a pause is not resumed $why", ({ when, resumesAt }) => {
  const pause = { kind: "pause", at: inPeriod, when } as const;
  const refused = { code: "request_invalid", field: "resumesAt" };
  expect(() => admitCommand(active, { ...pause, resumesAt })).toThrow(expect.objectContaining(refused));
  const later = new Date(Date.parse(resumesAt) + 3_600_000).toISOString();
  expect(() => admitCommand(active, { ...pause, resumesAt: later })).not.toThrow();
});
