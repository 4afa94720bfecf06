import { openSubscription } from "../../../src/activities/open-subscription.ts";
import { addCustomer } from "../../db/usage-fixture.ts";
import { type Answer, type RunningApi, startApi } from "./running-api.ts";

/** A plan that charges by the token: 0.02 cents for input, a tenth of it cached, 0.1 for output; twice as much for the large model. */
const reservationCatalog = {
  meters: ["input", "cached", "output"].map((token) => ({
    key: `${token}_tokens`,
    event_type: "model.request",
    aggregation: "sum",
    value: token === "input" ? "input - coalesce(cached, 0)" : `coalesce(${token}, 0)`,
    dimensions: ["model"],
  })),
  plans: [
    {
      key: "agents",
      name: "Agents",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: ["input", "cached", "output"].map((token) => {
        const small = { input: "0.02", cached: "0.002", output: "0.1" }[token];
        const large = { input: "0.04", cached: "0.004", output: "0.2" }[token];
        return {
          key: token,
          type: "usage",
          name: token,
          product: "tokens",
          meter: `${token}_tokens`,
          model: {
            type: "matrix",
            dimensions: ["model"],
            cells: [
              { values: { model: "small" }, unit_price_minor: small },
              { values: { model: "large" }, unit_price_minor: large },
            ],
            default_unit_price_minor: null,
          },
        };
      }),
    },
    {
      key: "dearer",
      name: "Dearer",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "output",
          type: "usage",
          name: "Output",
          product: "tokens",
          meter: "output_tokens",
          model: { type: "per_unit", unit_price_minor: "0.5" },
        },
      ],
    },
    {
      key: "tiered",
      name: "Tiered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "output",
          type: "usage",
          name: "Output",
          product: "tokens",
          meter: "output_tokens",
          included: "1000",
          model: { type: "per_unit", unit_price_minor: "0.1" },
        },
      ],
    },
  ],
};

export interface ReservationApi extends RunningApi {
  /** A customer on the plan since the tenth of February. */
  subscribe(customerId: string, plan?: string, clock?: string): Promise<void>;
  /** Asks for a request of the small model that may put out so many tokens, at 0.1 cents each. */
  reserve(id: string, customer: string, output: number, more?: object): Promise<Answer>;
  settle(id: string, output: number, outcome?: string): Promise<Answer>;
  cap(customerId: string, cap: object): Promise<Answer>;
  place(customerId: string, placement: object): Promise<Answer>;
}

export const monthly = { type: "calendar", unit: "month" };

export async function startReservationApi(): Promise<ReservationApi> {
  const api = await startApi();
  const published = await api.call("PUT", "/v1/catalog", reservationCatalog);
  if (published.status !== 200) throw new Error(published.text);
  const data = (output: number) => ({ model: "small", input: 0, output });
  return {
    ...api,
    async subscribe(customerId, plan = "agents", clock) {
      await addCustomer(api.db, customerId, clock);
      await openSubscription(api.db, {
        subscriptionId: `sub-${customerId}`,
        customerId,
        requestId: "open",
        at: "2026-02-10T00:00:00Z",
        items: [{ planKey: plan, seats: 1 }],
      });
    },
    reserve: (id, customer, output, more = {}) =>
      api.call("POST", "/v1/reservations", {
        ...{ id, customer, event: { type: "model.request", data: data(output) } },
        ...more,
      }),
    settle: (id, output, outcome = "completed") =>
      api.call("POST", `/v1/reservations/${id}/settle`, { outcome, data: data(output) }),
    cap: (customerId, cap) =>
      api.call("POST", `/v1/customers/${customerId}/spending-caps`, { window: monthly, ...cap }),
    place: (customerId, placement) =>
      api.call("POST", `/v1/customers/${customerId}/spender-placements`, placement),
  };
}
