import { randomUUID } from "node:crypto";
import type { Scope } from "../../../src/db/access.ts";
import type { Answer, CallOptions, RunningApi } from "./running-api.ts";

/** The requests of these tests, each by a person, which is a key. */
export function adjusting(api: () => RunningApi) {
  const post = (path: string, body: object, key: string, options: CallOptions = {}) =>
    api().call("POST", `/v1/${path}`, body, { key, ...options });
  return {
    post,
    /** A person whom no test has seen before. */
    person: (...scopes: Scope[]) => api().newKey(scopes),

    async customer(currency = "usd", testClock?: string): Promise<string> {
      const id = `cus-${randomUUID()}`;
      const clock = testClock === undefined ? {} : { test_clock: testClock };
      const body = { id, name: "Somebody", email: "somebody@example.com", currency, ...clock };
      await api().call("POST", "/v1/customers", body);
      return id;
    },

    grant: (customer: string, amountMinor: string, key: string, terms: object = {}) =>
      post(
        `customers/${customer}/credit-grants`,
        { amount_minor: amountMinor, reason_code: "promotion", ...terms },
        key,
      ),

    balance: (customer: string, changeMinor: string, key: string, options?: CallOptions) =>
      post(
        `customers/${customer}/balance-adjustments`,
        { change_minor: changeMinor, reason_code: "goodwill" },
        key,
        options,
      ),

    adjust: (grant: string, changeMinor: string, key: string) =>
      post(
        `credit-grants/${grant}/adjustments`,
        { change_minor: changeMinor, reason_code: "billing_error" },
        key,
      ),

    voidGrant: (grant: string, key: string) =>
      post(`credit-grants/${grant}/void`, { reason_code: "fraud" }, key),

    decide: (
      id: string,
      decision: "approve" | "reject" | "withdraw",
      key: string,
      options: CallOptions = {},
    ) => post(`adjustments/${id}/${decision}`, { note: "seen" }, key, options),

    detail: async (id: string) => (await api().call("GET", `/v1/adjustments/${id}`)).body,

    grants: async (customer: string) =>
      (await api().call("GET", `/v1/customers/${customer}/credit-grants`)).body.data,

    /** What was booked for a customer, as `debit → credit amount`, oldest first. */
    async postings(customer: string): Promise<string[]> {
      const { body } = await api().call("GET", `/v1/customers/${customer}/entries?limit=100`);
      const text = (key: string) => key.replace(/^(\d{4}).*$/, "$1");
      return body.data
        .toReversed()
        .flatMap(
          (entry: { postings: { debit: string; credit: string; amount_minor: string }[] }) => entry.postings,
        )
        .map(
          ({ debit, credit, amount_minor }: { debit: string; credit: string; amount_minor: string }) =>
            `${text(debit)} → ${text(credit)} ${amount_minor}`,
        );
    },
  };
}

/** Status and code, as in `409 credit_grant_voided`. */
export const refusal = ({ status, body }: Answer): string => `${status} ${body.code}`;
