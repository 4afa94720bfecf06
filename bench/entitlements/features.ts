import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { customerId } from "../ingest/workload.ts";

const length = { unit: "hour", count: 5 };

/** What is checked: a feature without limits, one with a limit, and one with a limit in each kind of window. */
const given = {
  sso: [],
  month: [{ type: "calendar", unit: "month" }],
  windows: [
    { type: "never" },
    { type: "calendar", unit: "month" },
    { type: "rolling", length },
    { type: "first_use", length },
  ],
} as const;

export type CheckedFeature = keyof typeof given;

/** Declares the features, and gives all of them to every customer. */
export async function giveFeatures({ api }: IngestUnderTest, customers: number): Promise<void> {
  const { url, key } = api.ready;
  const call = async (method: string, path: string, body?: object) => {
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "idempotency-key": `${method} ${path} ${JSON.stringify(body)}`
        .slice(0, 200)
        .replaceAll(/[^\x21-\x7e]/g, "_"),
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url + path, { method, headers, ...sent });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return await response.json();
  };
  const { meters } = (await call("GET", "/v1/catalog")) as { meters: object[] };
  const features = Object.entries(given).map(([name, windows]) =>
    windows.length === 0
      ? { key: name, name, type: "boolean" }
      : { key: name, name, type: "metered", meter: "input_tokens" },
  );
  await call("PUT", "/v1/catalog", { meters, plans: [], features });
  for (let customer = 0; customer < customers; customer++) {
    const path = `/v1/customers/${customerId(customer)}/feature-grants`;
    for (const [feature, windows] of Object.entries(given)) {
      const limits = windows.map((window) => ({ quantity: "1000000000000", window }));
      await call("POST", path, {
        feature,
        ...(limits.length === 0 ? {} : { limits }),
        reason_code: "promotion",
      });
    }
  }
}
