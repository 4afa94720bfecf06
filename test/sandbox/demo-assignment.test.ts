import { describe, expect, test } from "vitest";
import { contains } from "../../src/domain/calendar/index.ts";
import { assignRequests, swiftContextMax } from "../../src/sandbox/demo/assignment.ts";
import { demoCustomers, roles } from "../../src/sandbox/demo/customers.ts";
import { planDeliveries } from "../../src/sandbox/demo/delivery.ts";
import { demoMonth, timelineOf } from "../../src/sandbox/demo/timeline.ts";
import { readTrace } from "../../src/sandbox/demo/trace.ts";
import { expectedDeliveries, traceTotals } from "../scenarios/demo-expectations.ts";

const trace = readTrace();
const month = demoMonth(0);
const assigned = assignRequests(trace, demoCustomers(12), month);

describe("who made which request, and when", () => {
  test("the totals are the file's", () => {
    expect(assigned).toHaveLength(traceTotals.events);
    expect(BigInt(assigned.reduce((sum, { inputTokens }) => sum + inputTokens, 0))).toBe(
      traceTotals.inputTokens,
    );
    expect(BigInt(assigned.reduce((sum, { outputTokens }) => sum + outputTokens, 0))).toBe(
      traceTotals.outputTokens,
    );
  });

  test("the same trace gives the same requests", () => {
    expect(assignRequests(readTrace(), demoCustomers(12), month)).toEqual(assigned);
  });

  // Slots: Ada 0–2, Ben 3–4, Cleo 5–6, Dara 7–11, Elm 12–17, Fable 18–24, Grove 25–28, Harbor 29–38, Iris 39–47, …
  // The trace lasts 3435.948056 seconds, April 2,592,000: a second of the one is 754.3769 seconds of the other.
  test.each([
    {
      index: 0,
      customerId: "ada-moreau",
      model: "deep",
      time: "04-01T00:00:00.000Z",
      why: "slot 0, 4808 tokens",
    },
    {
      index: 1,
      customerId: "iris-health",
      model: "deep",
      time: "04-01T00:00:39.227Z",
      why: "slot 39, 0.052 s in",
    },
    {
      index: 2,
      customerId: "kestrel-aero",
      model: "swift",
      time: "04-01T00:01:14.071Z",
      why: "slot 78, 0.098189 s in",
    },
    {
      index: 3,
      customerId: "elm-street-apps",
      model: "deep",
      time: "04-01T00:01:46.128Z",
      why: "3 × 39 = 117: slot 17",
    },
    {
      index: 8818,
      customerId: "ada-moreau",
      model: "swift",
      time: "04-30T23:59:59.999Z",
      why: "slot 2, the last",
    },
  ])("request $index is $customerId's: $why", ({ index, customerId, model, time }) => {
    const request = assigned[index];
    expect(request).toMatchObject({ customerId, model });
    expect(new Date(request?.time ?? 0).toISOString()).toBe(`2026-${time}`);
  });

  test("each hundred requests in a row give every customer its weight", () => {
    const hundred = assigned.slice(4_200, 4_300);
    for (const { id, weight } of demoCustomers(12)) {
      expect(hundred.filter(({ customerId }) => customerId === id)).toHaveLength(weight);
    }
  });

  test("large contexts go to the deep model, the boundary to swift", () => {
    const at = (inputTokens: number) =>
      assignRequests([{ index: 0, ticks: 0n, inputTokens, outputTokens: 1 }], demoCustomers(12), month)[0]
        ?.model;
    expect([at(swiftContextMax), at(swiftContextMax + 1)]).toEqual(["swift", "deep"]);
  });

  test("times keep the order of the trace and stay inside the month", () => {
    expect(assigned.every(({ time }) => contains(month, time))).toBe(true);
    expect(assigned.every(({ time }, index) => time >= (assigned[index - 1]?.time ?? month.start))).toBe(
      true,
    );
  });

  test("five hundred customers share the same requests", () => {
    const customers = demoCustomers(500);
    const shared = assignRequests(trace, customers, month);
    expect(new Set(shared.map(({ customerId }) => customerId)).size).toBe(500);
    expect(shared.reduce((sum, { inputTokens }) => sum + inputTokens, 0)).toBe(18_059_974);
    expect(new Set(customers.map(({ id }) => id)).size).toBe(500);
  });
});

describe("how events arrive", () => {
  const { months, stops } = timelineOf(1);
  const [april] = months;
  if (april === undefined) throw new Error("the standard demo has a month of usage");
  const deliveries = planDeliveries(assigned, { ...april, stops, leaving: roles.cancels });
  const ofKind = (kind: string) => deliveries.filter((delivery) => delivery.kind === kind);
  const first = ofKind("first");

  test("every request is sent for the first time once", () => {
    expect(new Set(first.map(({ request }) => request.index)).size).toBe(traceTotals.events);
  });

  test("some come again, some are contradicted, some come late", () => {
    expect({
      first: first.length,
      again: ofKind("again").length,
      contradiction: ofKind("contradiction").length,
      inGrace: first.filter(({ at }) => at === april.inGrace).length,
      afterClose: first.filter(({ at }) => at === april.afterClose).length,
    }).toEqual(expectedDeliveries);
  });

  test("nothing is sent before it happened, or at an instant at which the demo does not stop", () => {
    expect(deliveries.every(({ at, request }) => at >= request.time && stops.includes(at))).toBe(true);
  });

  test("what is sent again follows its first sending", () => {
    const sentAt = new Map(first.map(({ at, request }) => [request.index, at]));
    const repetitions = deliveries.filter(({ kind }) => kind !== "first");
    expect(repetitions.every(({ at, request }) => at > (sentAt.get(request.index) ?? at))).toBe(true);
  });

  test("whoever cancels reports nothing after the close", () => {
    const late = first.filter(({ at }) => at === april.afterClose);
    expect(late.filter(({ request }) => request.customerId === roles.cancels)).toEqual([]);
  });
});
