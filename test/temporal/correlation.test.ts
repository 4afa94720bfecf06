import { defaultPayloadConverter } from "@temporalio/common";
import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { commands } from "../../src/api/commands/index.ts";
import type { ApiDependencies } from "../../src/api/dependencies.ts";
import { SubscriptionRuleError } from "../../src/domain/invoicing/index.ts";
import { createLogger } from "../../src/logger.ts";
import { correlationId, withCorrelationId } from "../../src/temporal/correlation.ts";
import { TemporalOperators } from "../../src/temporal/operators.ts";
import { TemporalQueues } from "../../src/temporal/queues.ts";
import { observeActivities } from "../../src/workers/activity-observation.ts";
import { changePlan, correlationHeader, workflowIds } from "../../src/workflows/messages.ts";
import { type RunningApi, startApi, wallClock } from "../api/support/running-api.ts";
import { resultOf } from "../workflows/support/runs.ts";
import { type Scene, type SceneClock, until } from "../workflows/support/scene.ts";
import { sharedScene } from "../workflows/support/shared-scene.ts";
import { declined, dunningFacts } from "../workflows/support/stand-ins.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly activity?: string;
  readonly correlation_id?: string;
  readonly workflow_id?: string;
  readonly attempt?: number;
  readonly outcome?: string;
  readonly error_class?: string;
  readonly ms?: number;
}

let lines: Line[] = [];
const metrics = new Registry();
const logger = createLogger({ level: "info", format: "json" }, "test", {
  write: (line) => void lines.push(JSON.parse(line)),
});

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene({ observeActivities: observeActivities(logger, metrics) });
});
afterAll(() => scene.close());
beforeEach(() => {
  lines = [];
  metrics.resetMetrics();
  scene.standIns.reset();
});

const january = "2026-01-31T00:00:00.000Z";
const linesOf = (activity: string) => lines.filter((line) => line.activity === activity);
const idsOf = (activity: string) => linesOf(activity).map((line) => line.correlation_id);

async function begin(clock: SceneClock) {
  return await withCorrelationId("req-open", () => beginSubscription(scene, clock));
}

describe("one id goes", () => {
  test("with an update to the run's children and their activities, on both queues", async () => {
    const clock = await scene.startClock(january);
    const { send } = await begin(clock);
    const invoiceId = scene.id("inv");
    scene.standIns.on("applyChange", ({ at }) => ({ invoiceId, collect: true, effectiveAt: at }));
    await withCorrelationId("req-change", () =>
      send(changePlan, { at: "2026-02-10T00:00:00.000Z", planKey: "team" }),
    );
    await resultOf(scene.client, workflowIds.collection(invoiceId));
    expect(idsOf("openSubscription")).toEqual(["req-open"]);
    expect(["applyChange", "startCollection", "collectInvoice"].map(idsOf)).toEqual([
      ["req-change"],
      ["req-change"],
      ["req-change"],
    ]);
  });

  test("with the start of a run through its continuations: what the run does by itself carries it", async () => {
    const clock = await scene.startClock(january);
    const { send } = await begin(clock);
    await withCorrelationId("req-change", () =>
      send(changePlan, { at: "2026-02-10T00:00:00.000Z", planKey: "team" }),
    );
    await clock.advance("2026-05-01T00:00:00.000Z");
    expect(idsOf("closePeriod")).toEqual(["req-open", "req-open", "req-open"]);
  });

  test("to the code inside an activity, and from there to the workflow that it tells something", async () => {
    const clock = await scene.startClock(january);
    const { subscriptionId, workflowId, customerId } = await begin(clock);
    const invoiceId = scene.id("inv");
    const seen: (string | undefined)[] = [];
    scene.standIns.on("payInvoice", declined("hard"));
    scene.standIns.on("openDunning", async () => {
      seen.push(correlationId());
      await scene.gateway.tellPaymentStanding(subscriptionId, clock.reading(), true, "past due");
      return dunningFacts({ retryAfterDays: [3], finalAction: "cancel", accessGraceDays: 7 });
    });
    const input = { invoiceId, customerId, subscriptionId, clock: clock.reading() };
    await withCorrelationId("req-pay", () => scene.gateway.startCollection(input));
    await until(async () => (await signalIds(workflowId)).length > 0, "the subscription is told");
    expect(seen).toEqual(["req-pay"]);
    expect(await signalIds(workflowId)).toEqual(["req-pay"]);
  });

  async function signalIds(workflowId: string): Promise<unknown[]> {
    const { events } = await scene.client.workflow.getHandle(workflowId).fetchHistory();
    const told = events?.flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []) ?? [];
    return told
      .filter(({ signalName }) => signalName === "paymentStanding")
      .flatMap(({ header }) => header?.fields?.[correlationHeader] ?? [])
      .map((payload) => defaultPayloadConverter.fromPayload(payload));
  }
});

describe("each attempt of an activity", () => {
  test("writes one line, and is measured by what became of it", async () => {
    const clock = await scene.startClock(january);
    const { send } = await begin(clock);
    scene.standIns.inTurn(
      "applyChange",
      () => {
        throw new Error("the database is away");
      },
      () => {
        throw new SubscriptionRuleError("plan_not_found", "there is no such plan");
      },
    );
    const change = withCorrelationId("req-change", () =>
      send(changePlan, { requestId: "change_1", at: "2026-02-10T00:00:00.000Z", planKey: "gold" }),
    );
    await expect(change).rejects.toMatchObject({ code: "plan_not_found" });
    const common = { correlation_id: "req-change", activity: "applyChange", msg: "activity" };
    expect(linesOf("applyChange")).toMatchObject([
      { ...common, attempt: 1, outcome: "failed", level: 40, ms: expect.any(Number) },
      { ...common, attempt: 1, outcome: "refused", level: 40, error_class: "plan_not_found" },
    ]);
    // At once in the subscription's run; what fails there goes on in one of its own.
    expect(linesOf("applyChange").map((line) => line.workflow_id)).toEqual([
      expect.stringMatching(/^subscription\/sub_\w+$/),
      expect.stringMatching(/^proration\/sub_\w+\/change_1$/),
    ]);
    const text = await metrics.metrics();
    for (const outcome of ["failed", "refused"]) {
      const labels = `activity="applyChange",outcome="${outcome}"`;
      expect(text).toContain(`reckoner_activity_duration_seconds_count{${labels}} 1`);
    }
    expect(text).toContain('_count{activity="openSubscription",outcome="completed"} 1');
  });
});

describe("a request to the API", () => {
  let api: RunningApi;
  let real: Pick<ApiDependencies, "testClocks">;
  beforeAll(async () => {
    const testClocks: ApiDependencies["testClocks"] = {
      areAllowed: true,
      create: (...request) => real.testClocks.create(...request),
      advance: (...request) => real.testClocks.advance(...request),
    };
    api = await startApi({ testClocks });
    const now = () => wallClock;
    // These commands touch no payment, so there is no Stripe in this test.
    const rail = {} as Parameters<typeof commands>[0]["rail"];
    const limits = { testClocksAllowed: true, approvalLimits: new Map() };
    const { client, taskQueue, gateway } = scene;
    const operators = new TemporalOperators(client, taskQueue);
    const queues = new TemporalQueues(client, taskQueue);
    real = commands({ db: api.db, gateway, operators, queues, rail, now, ...limits });
  });
  afterAll(() => api.stop());

  test("is found by its id in the lines of the activities that follow from it", async () => {
    const id = scene.id("clock");
    await api.call("POST", "/v1/test-clocks", { id, at: january });
    const headers = { "x-request-id": "req-advance" };
    const to = "2026-02-01T00:00:00.000Z";
    const answer = await api.call("POST", `/v1/test-clocks/${id}/advance`, { to }, { headers });
    expect(answer.status).toBeLessThan(300);
    expect(idsOf("moveTestClock")[0]).toBe("req-advance");
    expect(api.log()).toContain("req-advance");
  });
});
