import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childEnvironment, projectFolder } from "../../src/config.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { ReckonerApiError } from "../../src/sdk/index.ts";
import * as services from "../../src/temporal/services/index.ts";
import { seatPlans } from "../support/seat-plans.ts";
import { type System, startSystem } from "../support/system.ts";

/** The same commands over HTTP and to Temporal directly: the same refusals, the same answers, done once. */

let system: System;
let subscriptions: services.SubscriptionClient;
let exampleUrl: string;
let example: ChildProcess;

beforeAll(async () => {
  system = await startSystem();
  const { temporal, temporalClient } = system.surroundings;
  subscriptions = services.subscriptionClient(temporalClient, { taskQueue: temporal.taskQueue });
  await system.client.put("/v1/catalog", { body: seatPlans });
  const port = await freePort();
  exampleUrl = `http://127.0.0.1:${port}`;
  example = spawn(process.execPath, [join(projectFolder, "examples/upgrade-service.ts")], {
    env: childEnvironment({
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TASK_QUEUE: temporal.taskQueue,
      PORT: String(port),
    }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => example.stdout?.once("data", resolve));
});
afterAll(async () => {
  example.kill("SIGTERM");
  await system.stop();
});

async function newCustomer(id: string): Promise<string> {
  await system.client.post("/v1/customers", {
    body: { id, name: id, email: `${id}@example.com`, currency: "usd" },
  });
  const params = { path: { id } };
  await system.client.post("/v1/customers/{id}/payment-methods", { params, body: { token: "pm_card_visa" } });
  return id;
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "accepted",
    (error: unknown) =>
      error instanceof ReckonerApiError || error instanceof services.WorkflowRefusal
        ? error.code
        : String(error),
  );

async function activate(id: string) {
  const customerId = await newCustomer(id);
  const items = [{ planKey: "solo", seats: 2 }];
  return await subscriptions.activate({
    subscriptionId: id,
    customerId,
    requestId: `order-${id}`,
    items,
  });
}

test("a subscription begun through Temporal is the one that the API shows; begun again, it is the same", async () => {
  const begun = await activate("direct");
  expect(begun).toMatchObject({
    subscriptionId: "direct",
    status: "active",
    invoiceId: expect.stringMatching(/^inv_/),
  });
  const params = { path: { id: "direct" } };
  const shown = await system.client.get("/v1/subscriptions/{id}", { params });
  expect(shown).toMatchObject({ id: "direct", customer: "direct", status: "active" });
  const again = { subscriptionId: "direct", customerId: "direct", requestId: "order-direct" };
  expect(await subscriptions.activate({ ...again, items: [{ planKey: "solo", seats: 2 }] })).toEqual(begun);
  expect(await subscriptions.standing("direct")).toMatchObject({ status: "active", planKey: "solo" });
});

describe("refused alike, whichever way it comes", () => {
  beforeAll(() => activate("refused"));
  const params = { path: { id: "refused" } };
  const post = (path: "change-plan" | "change-quantity" | "resume", body: object) =>
    system.client.post(`/v1/subscriptions/{id}/${path}` as "/v1/subscriptions/{id}/resume", {
      params,
      body: body as never,
    });
  const send: services.SubscriptionClient["send"] = (...sent) => subscriptions.send(...sent);

  test.each([
    {
      why: "there is no such plan",
      code: "plan_not_found",
      http: () => post("change-plan", { plan: "gold" }),
      direct: () => send("refused", services.changePlan, { requestId: "refused-1", planKey: "gold" }),
    },
    {
      why: "no seats",
      code: "request_invalid",
      http: () => post("change-quantity", { seats: 0 }),
      direct: () => send("refused", services.changeQuantity, { requestId: "refused-2", seats: 0 }),
    },
    {
      why: "a plan that is no id",
      code: "request_invalid",
      http: () => post("change-plan", { plan: "a plan" }),
      direct: () => send("refused", services.changePlan, { requestId: "refused-3", planKey: "a plan" }),
    },
    {
      why: "it is not paused",
      code: "subscription_not_paused",
      http: () => post("resume", {}),
      direct: () => send("refused", services.resume, { requestId: "refused-4" }),
    },
  ])("$why: $code", async ({ code, http, direct }) => {
    expect([await codeOf(http()), await codeOf(direct())]).toEqual([code, code]);
  });
});

test("a change is answered with what will happen and when, and repeated it is not done again", async () => {
  await activate("changed");
  const send = () =>
    subscriptions.send("changed", services.changePlan, { requestId: "order-8", planKey: "team", seats: 3 });
  const answer = await send();
  expect(answer).toMatchObject({ subscriptionId: "changed", changeId: "order-8", status: "active" });
  expect(answer.invoiceId).toMatch(/^inv_/);
  expect(await send()).toEqual(answer);
  const shown = await system.client.get("/v1/subscriptions/{id}", { params: { path: { id: "changed" } } });
  expect(JSON.stringify(shown)).toContain('"team"');
});

test("the example service sells a subscription and an upgrade, and passes a refusal on", async () => {
  await newCustomer("buyer");
  const sell = async (path: string, body: object) => {
    const response = await fetch(exampleUrl + path, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const order = { subscription: "bought", customer: "buyer" };
  expect(await sell("/subscriptions", { ...order, order: "o-1", plan: "solo" })).toMatchObject({
    status: 200,
    body: { subscriptionId: "bought", status: "active" },
  });
  const upgrade = () => sell("/upgrades", { ...order, order: "o-2", plan: "team" });
  const upgraded = await upgrade();
  expect(upgraded).toMatchObject({ status: 200, body: { changeId: "o-2" } });
  expect(await upgrade()).toEqual(upgraded);
  expect(await sell("/upgrades", { ...order, order: "o-3", plan: "gold" })).toMatchObject({
    status: 422,
    body: { code: "plan_not_found" },
  });
});
