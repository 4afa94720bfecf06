import { z } from "zod";
import { findTestClock } from "../../db/billing/test-clocks.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies, TestClock } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, instantInput, instantText } from "../wire.ts";

const testClockSchema = z
  .object({
    id: z.string(),
    status: z.enum(["ready", "advancing"]),
    current_at: instantText,
    target_at: instantText.describe("Where it is going; later than `current_at` while it is on its way."),
  })
  .meta({ id: "TestClock" });

const testClockInput = z.strictObject({
  id: idInput.optional().describe("Your own id for this clock; one is made when it is left out."),
  at: instantInput,
});

const tags = ["Test clocks"];

/** Clocks that can be moved, and with them the whole life of the customers attached to them. */
export function testClockRoutes(api: ApiInstance, deps: ApiDependencies): void {
  createTestClock(api, deps);
  advanceTestClock(api, deps);
  api.get(
    "/v1/test-clocks/:id",
    {
      config: { scope: "read", refusals: ["test_clock_not_found"] },
      schema: { tags, summary: "A test clock", params: idParams, response: { 200: testClockSchema } },
    },
    async ({ params: { id } }) =>
      testClockAnswer(found(await findTestClock(deps.db.orm, id), "test_clock", id)),
  );
}

function createTestClock(api: ApiInstance, { testClocks }: ApiDependencies): void {
  api.post(
    "/v1/test-clocks",
    {
      config: { scope: "write", refusals: ["test_clocks_refused", "test_clock_exists"] },
      schema: {
        tags,
        summary: "Create a test clock",
        description: "Attach customers to it when you create them. Never available beside a live Stripe key.",
        body: testClockInput,
        response: { 201: testClockSchema },
      },
    },
    async (request, reply) => {
      refuseUnlessAllowed(testClocks);
      const { id = newId(request, "clk"), at } = request.body;
      const clock = await testClocks.create({ id, at }, contextOf(request));
      return reply.code(201).send(testClockAnswer(clock));
    },
  );
}

function advanceTestClock(api: ApiInstance, { db, testClocks }: ApiDependencies): void {
  api.post(
    "/v1/test-clocks/:id/advance",
    {
      config: {
        scope: "write",
        refusals: ["test_clocks_refused", "test_clock_not_found", "test_clock_busy", "test_clock_backwards"],
      },
      schema: {
        tags,
        summary: "Move a test clock forward",
        description:
          "Answers at once with status `advancing`. Everything that is due on the way happens in the order of time; " +
          "read the clock until its status is `ready`.",
        params: idParams,
        body: z.strictObject({ to: instantInput }),
        response: { 202: testClockSchema },
      },
    },
    async (request, reply) => {
      refuseUnlessAllowed(testClocks);
      const { id } = request.params;
      const { to } = request.body;
      const { currentAt } = found(await findTestClock(db.orm, id), "test_clock", id);
      if (to < currentAt) {
        const message = `this clock is at ${isoOf(currentAt)} already, and time never goes back`;
        throw new RequestRefusedError("test_clock_backwards", message, "to");
      }
      const clock = await testClocks.advance({ id, to }, contextOf(request));
      return reply.code(202).send(testClockAnswer(clock));
    },
  );
}

function refuseUnlessAllowed({ areAllowed }: ApiDependencies["testClocks"]): void {
  if (areAllowed) return;
  const message =
    "this deployment has no test clocks: they are allowed by TEST_CLOCKS, never beside a live Stripe key";
  throw new RequestRefusedError("test_clocks_refused", message);
}

function testClockAnswer({ id, currentAt, targetAt, isSettled }: TestClock): z.infer<typeof testClockSchema> {
  const status = isSettled ? "ready" : "advancing";
  return { id, status, current_at: isoOf(currentAt), target_at: isoOf(targetAt) };
}
