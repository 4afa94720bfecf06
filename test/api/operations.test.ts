import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { attentionOf, resultOf, untilParked } from "../workflows/support/runs.ts";
import { type Scene, until } from "../workflows/support/scene.ts";
import { sharedScene } from "../workflows/support/shared-scene.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";
import { startSkipping } from "../workflows/support/time-skipping.ts";
import { startOperatingApi } from "./support/operating.ts";
import type { RunningApi } from "./support/running-api.ts";

/** What operators do, through the API, to runs on a real Temporal server. */

let scene: Scene;
let api: RunningApi;
let operator: string;
beforeAll(async () => {
  scene = await sharedScene();
  api = await startOperatingApi(scene);
  operator = await api.newKey(["operate"]);
});
afterAll(async () => {
  await api.stop();
  await scene.close();
});
beforeEach(() => scene.standIns.reset());

const april = "2026-04-01T00:00:00.000Z";
const may = "2026-05-01T00:00:00.000Z";
const reason = "the lines were mended";

const call = (method: string, path: string, body?: unknown, idempotencyKey?: string) =>
  api.call(method, path, body, {
    key: operator,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
const operate = (body: object, key?: string) => call("POST", "/v1/operations", { reason, ...body }, key);
const runOf = (workflowId: string) =>
  call("GET", `/v1/operations/run?workflow_id=${encodeURIComponent(workflowId)}`);

const closed = () => ({ outcome: "closed", invoiceId: null, collect: false }) as const;
const broken = () => {
  throw new InvariantViolation("the lines sum to the total");
};

/** A period's run of a new customer, on its way; parked when its close is broken. */
async function startCycle(customerId = scene.id("cus")) {
  const period = { subscriptionId: scene.id("sub"), periodStart: april, periodEnd: may, graceSeconds: 0 };
  await scene.gateway.startBillingCycle({ ...period, customerId, clock: null });
  return { customerId, workflowId: workflowIds.billingCycle(period.subscriptionId, april) };
}

async function parkedCycle(customerId?: string) {
  scene.standIns.on("closePeriod", broken);
  const started = await startCycle(customerId);
  await untilParked(scene.client, started.workflowId);
  return started;
}

/** Visibility is a little behind. */
async function untilFound(query: string, count: number) {
  const path = `/v1/operations/runs?query=${encodeURIComponent(query)}`;
  await until(async () => (await call("GET", path)).body.total === count, `${query} finds ${count}`);
  return (await call("GET", path)).body;
}

describe("looking", () => {
  test("finds the runs of a customer that need attention, and says what is wrong", async () => {
    const { customerId, workflowId } = await parkedCycle();
    const found = await untilFound(`CustomerId = "${customerId}" AND NeedsAttention = true`, 1);
    expect(found.data).toMatchObject([
      {
        workflow_id: workflowId,
        type: "billingCycle",
        status: "running",
        needs_attention: true,
        error_class: "invariant_violated",
        attributes: { CustomerId: customerId },
      },
    ]);
    const { body } = await runOf(workflowId);
    expect(body).toMatchObject({
      summary: `${customerId}, period from ${april.slice(0, 10)}`,
      pending_steps: [],
      ended_at: null,
    });
    expect(body.details).toContain("**Parked**: closing the period failed");
  });

  test("says which step is being tried again and again", async () => {
    let mended = false;
    scene.standIns.on("closePeriod", () => {
      if (!mended) throw new Error("the database is away");
      return closed();
    });
    const { workflowId } = await startCycle();
    await until(
      async () => (await runOf(workflowId)).body.pending_steps?.[0]?.attempt > 1,
      "it is tried again",
    );
    expect((await runOf(workflowId)).body.pending_steps).toMatchObject([{ activity: "closePeriod" }]);
    mended = true;
    await resultOf(scene.client, workflowId);
  });

  test.each([
    { path: "/v1/operations/run?workflow_id=cycle/nothing", status: 404, code: "run_not_found" },
    { path: "/v1/operations/runs?query=Colour%20%3D%201", status: 422, code: "run_query_invalid" },
    { path: "/v1/operations/op_1", status: 404, code: "operation_not_found" },
  ])("$path is refused: $code", async ({ path, status, code }) => {
    expect(await call("GET", path)).toMatchObject({ status, body: { code } });
  });

  test.each(["read", "write", "approve"] as const)(
    "is for operators: not for the scope %s",
    async (scope) => {
      const key = await api.newKey([scope]);
      expect((await api.call("GET", "/v1/operations/runs", undefined, { key })).status).toBe(403);
      const body = { action: "retry", runs: ["cycle/1"], reason };
      expect((await api.call("POST", "/v1/operations", body, { key })).status).toBe(403);
    },
  );
});

describe("retry", () => {
  test("is planned without being done, then done, and its record says who, what and why", async () => {
    const { workflowId } = await parkedCycle();
    const wanted = { action: "retry", runs: [workflowId] };
    const planned = await call("POST", "/v1/operations/plan", { reason, ...wanted });
    expect(planned.body).toMatchObject({ targets: 1, runs: [{ workflow_id: workflowId }], queue: null });
    expect(await attentionOf(scene.client, workflowId)).toBe(true);

    scene.standIns.on("closePeriod", closed);
    const done = await operate(wanted, "retry-1");
    expect(done).toMatchObject({
      status: 201,
      body: { action: "retry", query: null, reason, targets: 1, done: 1, refused: 0, pending: 0 },
    });
    expect(done.body.requested_by).toMatch(/^api-key\/key_/);
    expect(done.body.outcomes).toMatchObject([{ target: workflowId, outcome: "done" }]);
    expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");

    const again = await operate(wanted, "retry-1");
    expect(again.text).toBe(done.text);
    const listed = await call("GET", "/v1/operations");
    expect(listed.body.data.filter(({ id }: { id: string }) => id === done.body.id)).toHaveLength(1);
  });

  test("of a run that is not parked, or has ended, is refused and changes nothing", async () => {
    const clock = await scene.startClock("2026-01-31T00:00:00.000Z");
    const { workflowId } = await beginSubscription(scene, clock);
    const ended = await startCycle();
    await resultOf(scene.client, ended.workflowId);
    const { body } = await operate({ action: "retry", runs: [workflowId, ended.workflowId] });
    expect(body).toMatchObject({ done: 0, refused: 2 });
    expect(body.outcomes.map(({ code }: { code: string }) => code)).toEqual(["step_not_parked", "run_ended"]);
  });
});

describe("skip", () => {
  test("is refused where the run cannot go on without the step: it stays parked", async () => {
    const { workflowId } = await parkedCycle();
    const { body } = await operate({ action: "skip", runs: [workflowId] });
    expect(body.outcomes).toMatchObject([
      {
        outcome: "refused",
        code: "step_not_skippable",
        detail: "the run cannot go on without: closing the period",
      },
    ]);
    expect(await attentionOf(scene.client, workflowId)).toBe(true);
  });

  test("goes on without the step where that can be", async () => {
    const invoiceId = scene.id("inv");
    scene.standIns.on("settleInvoice", broken);
    const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null, clock: null };
    const workflowId = workflowIds.dunning(invoiceId);
    // Nobody tells it of a webhook, so after a while it asks Stripe.
    const failed = { startedAt: "2026-02-01T00:00:00.000Z", lastDecline: "soft" } as const;
    await startSkipping(scene, "dunning", workflowId, { ...input, ...failed });
    const { details } = await untilParked(scene.client, workflowId);
    expect(details).toContain("or skip it");
    expect((await operate({ action: "skip", runs: [workflowId] })).body).toMatchObject({ done: 1 });
    expect(await resultOf(scene.client, workflowId)).toBe("recovered");
  });
});

test("reset does the last step again under the same keys, also in the run that comes of it", async () => {
  const { workflowId } = await parkedCycle();
  scene.standIns.on("closePeriod", closed);
  expect((await operate({ action: "reset", runs: [workflowId] })).body).toMatchObject({ done: 1 });
  expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
  const [first, second] = scene.standIns.asked("closePeriod").slice(-2);
  expect(second).toEqual({ ...first, at: expect.any(String) });
});

test("cancel ends a run; a subscription's run is not ended so", async () => {
  const { workflowId } = await parkedCycle();
  const clock = await scene.startClock("2026-01-31T00:00:00.000Z");
  const begun = await beginSubscription(scene, clock);
  const { body } = await operate({ action: "cancel", runs: [workflowId, begun.workflowId] });
  expect(body).toMatchObject({ done: 1, refused: 1 });
  expect(body.outcomes[1]).toMatchObject({ code: "run_not_cancelable" });
  await expect(resultOf(scene.client, workflowId)).rejects.toThrow();
  expect((await runOf(workflowId)).body.status).toBe("canceled");
  expect(await begun.standing()).toMatchObject({ status: "active" });
});

test("in bulk: what a query finds is settled first, and each is done once, in steps of a hundred", {
  timeout: 90_000,
}, async () => {
  const customerId = scene.id("cus");
  scene.standIns.on("closePeriod", broken);
  const count = 103;
  const started = await Promise.all(Array.from({ length: count }, () => startCycle(customerId)));
  const query = `CustomerId = "${customerId}"`;
  await untilFound(`${query} AND NeedsAttention = true`, count);
  scene.standIns.on("closePeriod", closed);
  const { body } = await operate({ action: "retry", query });
  expect(body).toMatchObject({ query, targets: count, done: 100, pending: 3 });
  const path = `/v1/operations/${body.id}/continue`;
  expect((await call("POST", path)).body).toMatchObject({ done: count, refused: 0, pending: 0 });
  expect((await call("POST", path)).body).toMatchObject({ done: count, pending: 0 });
  await Promise.all(started.map(({ workflowId }) => resultOf(scene.client, workflowId)));
  expect(await operate({ action: "retry", query })).toMatchObject({
    status: 409,
    body: { code: "operation_without_target" },
  });
});

test("a paused queue does nothing until it is resumed, and says why it is", async () => {
  const paused = await operate({ action: "pause_queue", queue: "cycles", reason: "prices are being mended" });
  expect(paused.body).toMatchObject({
    done: 1,
    outcomes: [{ target: "cycles", run_id: null, outcome: "done" }],
  });
  const queues = async () => (await call("GET", "/v1/operations/queues")).body.data;
  await until(async () => (await queues()).some(({ paused }: { paused: boolean }) => paused), "it is paused");
  const standing = (await queues()).find(({ queue }: { queue: string }) => queue === "cycles");
  expect(standing).toMatchObject({ paused: true, reason: "prices are being mended" });

  const { workflowId } = await startCycle();
  const waiting = async () =>
    (await queues()).find(({ queue }: { queue: string }) => queue === "cycles").waiting;
  await until(async () => (await waiting()) > 0, "an activity waits");
  const before = scene.standIns.asked("closePeriod").length;
  await operate({ action: "unpause_queue", queue: "cycles" });
  await resultOf(scene.client, workflowId);
  expect(scene.standIns.asked("closePeriod").length).toBe(before + 1);
  expect((await queues()).every(({ paused }: { paused: boolean }) => !paused)).toBe(true);
});

test.each([
  { body: { action: "retry" }, why: "nothing named" },
  { body: { action: "retry", runs: ["a"], query: "b" }, why: "two named" },
  { body: { action: "retry", queue: "stripe" }, why: "a queue is not retried" },
  { body: { action: "pause_queue", runs: ["a"] }, why: "a run is no queue" },
  { body: { action: "signal", runs: ["a"] }, why: "no signal named" },
  { body: { action: "cancel", runs: ["a"], signal: "invoiceChanged" }, why: "a signal too many" },
  { body: { action: "cancel", runs: ["a"], reason: "" }, why: "no reason" },
  { body: { action: "terminate", runs: ["a"] }, why: "no such action" },
])("what makes no sense is refused: $why", async ({ body }) => {
  expect(await operate(body)).toMatchObject({ status: 400, body: { code: "request_invalid" } });
});
