import { openSubscription } from "../../../src/activities/open-subscription.ts";
import type { ApiDependencies } from "../../../src/api/dependencies.ts";
import { isoOf } from "../../../src/domain/calendar/index.ts";
import { addCustomer } from "../../db/usage-fixture.ts";
import { type Answer, type RunningApi, startApi, wallClock } from "./running-api.ts";

/** A plan with features of every kind, and an add-on with more of some. */
export const entitlementCatalog = {
  meters: [
    { key: "requests", event_type: "request", aggregation: "count", dimensions: ["user", "model"] },
    {
      key: "tokens",
      event_type: "request",
      aggregation: "sum",
      property: "tokens",
      dimensions: ["user", "model"],
    },
    { key: "jobs", event_type: "job", aggregation: "count", dimensions: ["user"] },
  ],
  features: [
    { key: "sso", name: "Single sign-on", type: "boolean" },
    { key: "support", name: "Support", type: "boolean", when_limited: "allowed" },
    { key: "models", name: "Models", type: "config", combine: "union" },
    { key: "projects", name: "Projects", type: "config", combine: "highest" },
    { key: "requests", name: "Requests", type: "metered", meter: "requests" },
    { key: "tokens", name: "Tokens", type: "metered", meter: "tokens" },
    { key: "jobs", name: "Jobs", type: "metered", meter: "jobs" },
    { key: "spending", name: "Spending", type: "budget", caps: ["tokens"] },
  ],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "tokens",
          type: "usage",
          name: "Tokens",
          product: "tokens",
          feature: "tokens",
          meter: "tokens",
          model: { type: "per_unit", unit_price_minor: "0.01" },
          included: "1000",
        },
      ],
      entitlements: [
        { feature: "support" },
        { feature: "models", values: ["small"] },
        { feature: "projects", value: "5" },
        {
          feature: "requests",
          limits: [
            { quantity: "10", window: { type: "calendar", unit: "month" } },
            { quantity: "3", window: { type: "rolling", length: { unit: "hour", count: 5 } }, per: ["user"] },
          ],
        },
        {
          feature: "tokens",
          limits: [{ quantity: "1000", window: { type: "billing_cycle" }, beyond: "charged" }],
        },
        {
          feature: "jobs",
          limits: [{ quantity: "2", window: { type: "first_use", length: { unit: "hour", count: 5 } } }],
        },
        { feature: "spending", limits: [{ amount_minor: "20", window: { type: "billing_cycle" } }] },
      ],
    },
    {
      key: "extra",
      name: "Extra",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      requires: ["pro"],
      prices: [],
      entitlements: [
        { feature: "sso" },
        { feature: "models", values: ["large"] },
        { feature: "projects", value: "20" },
        {
          feature: "requests",
          limits: [{ quantity: "5", window: { type: "calendar", unit: "month" } }],
        },
      ],
    },
  ],
};

export interface EntitlementApi extends RunningApi {
  /** A customer on the plan, and on the add-on where that is named, since the tenth of February. */
  subscribe(customerId: string, ...plans: readonly string[]): Promise<void>;
  /** Takes in an event over HTTP, so many milliseconds before now. */
  use(customerId: string, event: Used): Promise<void>;
  check(customerId: string, features: readonly object[], subject?: Record<string, string>): Promise<Answer>;
  give(customerId: string, grant: object): Promise<Answer>;
}

interface Used {
  readonly type?: string;
  readonly user?: string;
  readonly model?: string;
  readonly tokens?: number;
  readonly agoMs?: number;
}

export async function startEntitlementApi(parts: Partial<ApiDependencies> = {}): Promise<EntitlementApi> {
  const api = await startApi(parts);
  const published = await api.call("PUT", "/v1/catalog", entitlementCatalog);
  if (published.status !== 200) throw new Error(published.text);
  let events = 0;
  return {
    ...api,
    async subscribe(customerId, ...plans) {
      await addCustomer(api.db, customerId);
      if (plans.length === 0) return;
      await openSubscription(api.db, {
        subscriptionId: `sub-${customerId}`,
        customerId,
        requestId: "open",
        at: "2026-02-10T00:00:00Z",
        items: plans.map((planKey) => ({ planKey, seats: 1 })),
      });
    },
    async use(customer, { type = "request", user = "u1", model = "small", tokens = 0, agoMs = 60_000 }) {
      const id = `e${++events}`;
      const time = new Date(wallClock - agoMs).toISOString();
      const event = { id, source: "test", customer, type, time, data: { user, model, tokens } };
      const { body } = await api.call("POST", "/v1/events", event);
      if (body.accepted !== 1) throw new Error(`event ${id} was not accepted`);
    },
    check: (customer, features, subject = {}) =>
      api.call("POST", "/v1/entitlements/check", { customer, subject, features }),
    give: (customerId, grant) =>
      api.call("POST", `/v1/customers/${customerId}/feature-grants`, { reason_code: "goodwill", ...grant }),
  };
}

export const wallClockText = isoOf(wallClock);
