import { describe, expect, test } from "vitest";
import {
  CommandShapeError,
  requireCommand,
  requireIds,
  type SubscriptionCommandKind,
} from "../../../src/domain/lifecycle/index.ts";

type Kind = SubscriptionCommandKind | "activate";

const at = "2026-02-10T00:00:00.000Z";
const named = { requestId: "order-1", at };
const solo = { planKey: "solo", seats: 1 };

/** The least that each command has to say. */
const least: Record<Kind, object> = {
  activate: { ...named, items: [solo] },
  change_plan: { ...named, planKey: "team" },
  change_quantity: { ...named, seats: 2 },
  add_add_on: { ...named, planKey: "extra", seats: 1 },
  remove_add_on: { ...named, planKey: "extra" },
  end_trial: named,
  pause: named,
  resume: named,
  cancel: { ...named, when: "period_end" },
  uncancel: named,
  withdraw: { ...named, changeId: "order-1/end" },
};
const kinds = Object.keys(least) as Kind[];

test.each(kinds)("%s is taken with the least that it has to say, and with nothing less", (kind) => {
  expect(() => requireCommand(kind, least[kind])).not.toThrow();
  for (const name of Object.keys(least[kind])) {
    const without = { ...least[kind], [name]: undefined };
    expect(() => requireCommand(kind, without)).toThrow(
      expect.objectContaining({ code: "request_invalid", field: name }),
    );
  }
});

test("everything that may be said beside it is taken, and what newer senders say", () => {
  const options = { settle: "none", anchor: "reset", quote: "q1", agreement: "a".repeat(64) };
  const start = {
    startAt: at,
    billedThrough: at,
    firstCharge: "none",
    trial: "none",
    trialWithoutPaymentMethod: "pause",
    paymentMethod: "required",
    payWithinSeconds: 3600,
    reactivates: "sub_0",
  };
  const later = { when: { at }, seats: 1_000_000, ...options, newerField: {} };
  expect(() => requireCommand("change_plan", { ...least.change_plan, ...later })).not.toThrow();
  expect(() => requireCommand("activate", { ...least.activate, start })).not.toThrow();
  const pause = { usage: "refused", resumesAt: at, resumeAnchor: "keep" };
  expect(() => requireCommand("pause", { ...named, ...pause })).not.toThrow();
});

describe("refused as request_invalid, naming the field", () => {
  test.each<[kind: Kind, field: string, wrong: object]>([
    ["change_quantity", "seats", { seats: 0 }],
    ["change_quantity", "seats", { seats: 1.5 }],
    ["change_quantity", "seats", { seats: 1_000_001 }],
    ["change_quantity", "seats", { seats: "3" }],
    ["change_quantity", "seats", { seats: null }],
    ["change_plan", "planKey", { planKey: "a plan" }],
    ["change_plan", "planKey", { planKey: "x".repeat(101) }],
    ["change_plan", "planKey", { planKey: "_hidden" }],
    ["change_plan", "requestId", { requestId: "" }],
    ["change_plan", "requestId", { requestId: "two words" }],
    ["change_plan", "requestId", { requestId: "x".repeat(256) }],
    ["change_plan", "at", { at: "tomorrow" }],
    ["change_plan", "at", { at: 0 }],
    ["change_plan", "when", { when: "later" }],
    ["change_plan", "when", { when: { at: "later" } }],
    ["change_plan", "settle", { settle: "soon" }],
    ["cancel", "credit", { credit: "all" }],
    ["pause", "resumesAt", { resumesAt: "soon" }],
    ["withdraw", "changeId", { changeId: 7 }],
    ["activate", "items", { items: [] }],
    ["activate", "items", { items: Array(21).fill(solo) }],
    ["activate", "items[1].seats", { items: [solo, { ...solo, seats: -1 }] }],
    ["activate", "items[0].planKey", { items: [{ seats: 1 }] }],
    ["activate", "start.payWithinSeconds", { start: { payWithinSeconds: 1 } }],
    ["activate", "start.reactivates", { start: { reactivates: "a b" } }],
  ])("%s: %s", (kind, field, wrong) => {
    expect(() => requireCommand(kind, { ...least[kind], ...wrong })).toThrow(
      expect.objectContaining({ code: "request_invalid", field }),
    );
  });

  test.each([undefined, null, "pause", [named], [[named]]])("a command that is %j", (command) => {
    expect(() => requireCommand("pause", command)).toThrow(CommandShapeError);
  });

  test.each([undefined, 7, "", "a b", "../sub", "x".repeat(101)])("the id %j", (subscriptionId) => {
    expect(() => requireIds({ subscriptionId })).toThrow(
      expect.objectContaining({ code: "request_invalid", field: "subscriptionId" }),
    );
  });
});
