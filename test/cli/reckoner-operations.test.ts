import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { startOperatingApi } from "../api/support/operating.ts";
import type { RunningApi } from "../api/support/running-api.ts";
import { attentionOf, resultOf, untilParked } from "../workflows/support/runs.ts";
import { type Scene, until } from "../workflows/support/scene.ts";
import { sharedScene } from "../workflows/support/shared-scene.ts";
import { reckoner } from "./reckoner-command.ts";

/** `reckoner operations`, as an operator and as a program call it, on real runs. */

let scene: Scene;
let api: RunningApi;
let adminKey: string;
beforeAll(async () => {
  scene = await sharedScene();
  api = await startOperatingApi(scene);
  adminKey = await api.newKey(["operate"]);
});
afterAll(async () => {
  await api.stop();
  await scene.close();
});
beforeEach(() => scene.standIns.reset());

const run = (...given: string[]) => reckoner({ url: api.url, adminKey }, ["operations", ...given]);
const why = ["--reason", "prices were mended"];
const april = "2026-04-01T00:00:00.000Z";

async function parkedCycles(count: number) {
  scene.standIns.on("closePeriod", () => {
    throw new InvariantViolation("the lines sum to the total");
  });
  const customerId = scene.id("cus");
  const period = { periodStart: april, periodEnd: "2026-05-01T00:00:00.000Z", graceSeconds: 0, clock: null };
  const ids = Array.from({ length: count }, () => scene.id("sub"));
  for (const subscriptionId of ids) {
    await scene.gateway.startBillingCycle({ ...period, subscriptionId, customerId });
  }
  const runs = ids.map((id) => workflowIds.billingCycle(id, april));
  for (const workflowId of runs) await untilParked(scene.client, workflowId);
  const found = async () => (await run("list", "--attention", "--customer", customerId, "--json")).out;
  await until(async () => JSON.parse(await found()).total === count, "they are found");
  scene.standIns.on("closePeriod", () => ({ outcome: "closed", invoiceId: null, collect: false }));
  return { customerId, runs };
}

test("what needs attention is listed and shown, then retried after a dry run, and recorded", async () => {
  const { customerId, runs } = await parkedCycles(3);
  const [first = ""] = runs;
  const listed = await run("list", "--attention", "--customer", customerId);
  expect(listed).toMatchObject({ code: 0, err: "" });
  for (const workflowId of runs)
    expect(listed.out).toContain(`${workflowId}  billingCycle  parked: invariant_violated`);
  expect((await run("show", first)).out).toContain("**Parked**: closing the period failed");

  const dry = await run("retry", "--customer", customerId, ...why, "--dry-run");
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toContain("retry would be done to 3 runs:");
  expect(await attentionOf(scene.client, first)).toBe(true);

  const unasked = await run("retry", "--customer", customerId, ...why);
  expect([unasked.code, unasked.err]).toEqual([1, "nobody is here to be asked: say --yes\n"]);
  const done = await run("retry", "--customer", customerId, ...why, "--yes", "--json");
  const operation = JSON.parse(done.out);
  expect(operation).toMatchObject({
    action: "retry",
    targets: 3,
    done: 3,
    pending: 0,
    reason: "prices were mended",
  });
  for (const workflowId of runs) await resultOf(scene.client, workflowId);

  expect((await run("record")).out).toContain(`${operation.id}  retry`);
  expect((await run("record", operation.id)).out).toContain("3 done, 0 refused.");
  expect((await run("continue", operation.id)).out).toContain("3 done, 0 refused.");
});

test("what is refused is said for each run, and in the exit code", async () => {
  const { runs } = await parkedCycles(1);
  const [workflowId = ""] = runs;
  const skipped = await run("skip", workflowId, ...why, "--yes");
  expect(skipped.code).toBe(1);
  expect(skipped.out).toContain("0 done, 1 refused.");
  expect(skipped.out).toContain("step_not_skippable  the run cannot go on without: closing the period");
  expect((await run("reset", workflowId, ...why, "--yes")).out).toContain("1 done, 0 refused.");
  await resultOf(scene.client, workflowId);
});

test("a queue is paused and resumed, and the list of queues says why", async () => {
  expect((await run("pause-queue", "stripe", ...why, "--yes")).code).toBe(0);
  const paused = async () => /stripe +\S+ +paused/.test((await run("queues")).out);
  await until(paused, "it is paused");
  expect((await run("queues")).out).toContain("prices were mended");
  expect((await run("unpause-queue", "stripe", ...why, "--yes")).code).toBe(0);
  await until(async () => !(await paused()), "it is resumed");
});

test.each([
  { given: ["retry", "--yes", ...why], code: 2, err: "name runs, or say how to find them" },
  {
    given: ["retry", "cycle/1", "--customer", "a", ...why],
    code: 2,
    err: "name runs or find them, not both",
  },
  { given: ["retry", "--customer", "a' OR 'b", ...why], code: 2, err: "is not an id" },
  { given: ["retry", "cycle/1"], code: 2, err: "required option '--reason <text>' not specified" },
  { given: ["retry", "cycle/none", "--yes", ...why], code: 1, err: "run_not_found" },
  { given: ["cancel", "--query", "Colour = 1", "--yes", ...why], code: 1, err: "run_query_invalid" },
  {
    given: ["pause-queue", "mail", "--yes", ...why],
    code: 2,
    err: "Allowed choices are interactive, cycles, stripe",
  },
])("$given is refused", async ({ given, code, err }) => {
  const ended = await run(...given);
  expect(ended.code).toBe(code);
  expect(ended.err).toContain(err);
});
