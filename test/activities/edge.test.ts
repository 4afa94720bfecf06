import { ApplicationFailure } from "@temporalio/activity";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DrizzleQueryError } from "drizzle-orm";
import { expect, test } from "vitest";
import { atTheEdge } from "../../src/activities/edge.ts";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { SubscriptionRefusal } from "../../src/domain/lifecycle/index.ts";
import { StripeCallError } from "../../src/stripe/index.ts";
import { WorkflowRefusal, WorkflowSilentError } from "../../src/temporal/workflow-refusal.ts";

const refused = new SubscriptionRefusal("subscription_canceled", "open a new one");
const lostQuery = new DrizzleQueryError(
  "update billing.customer set email = $1",
  ["ada@example.com"],
  Object.assign(new Error("connection to ada@example.com's row lost"), { code: "57P01" }),
);

test.each([
  {
    why: "a refusal is final, typed by its code",
    error: refused,
    type: "subscription_canceled",
    final: true,
  },
  {
    why: "a broken invariant is final",
    error: new InvariantViolation("x"),
    type: "invariant_violated",
    final: true,
  },
  {
    why: "what Stripe will never take is final",
    error: new StripeCallError("pay", { kind: "key_reused" }),
    type: "stripe_key_reused",
    final: true,
  },
  {
    why: "an unknown outcome is asked for again",
    error: new StripeCallError("pay", { kind: "unavailable" }),
    type: "stripe_unavailable",
    final: false,
  },
  {
    why: "workers that are silent answer later",
    error: new WorkflowSilentError(),
    type: "unavailable",
    final: false,
  },
  {
    why: "a workflow's refusal is final",
    error: new WorkflowRefusal("workflow_ended", "x"),
    type: "workflow_ended",
    final: true,
  },
  { why: "a database that is away comes back", error: lostQuery, type: "query_failed_57P01", final: false },
])("$why", async ({ error, type, final }) => {
  const failure = await failureOf(error);
  expect(failure).toMatchObject({ type, nonRetryable: final });
});

test("the failure of a query does not tell whom it was about", async () => {
  const failure = await failureOf(lostQuery);
  expect(JSON.stringify([failure.message, failure.cause, failure.details])).not.toContain("ada@example.com");
});

async function failureOf(error: Error): Promise<ApplicationFailure> {
  const { fail } = atTheEdge({ fail: () => Promise.reject(error) });
  const failure = await new MockActivityEnvironment()
    .run(fail, undefined as never)
    .catch((thrown: unknown) => thrown);
  if (!(failure instanceof ApplicationFailure))
    throw new Error("not an ApplicationFailure", { cause: failure });
  return failure;
}
