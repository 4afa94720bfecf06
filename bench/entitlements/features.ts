import postgres from "postgres";
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
export async function giveFeatures({ api, server }: IngestUnderTest, customers: number): Promise<void> {
  const { url, key } = api.ready;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { meters } = (await (await fetch(`${url}/v1/catalog`, { headers })).json()) as { meters: object[] };
  const features = Object.entries(given).map(([name, windows]) =>
    windows.length === 0
      ? { key: name, name, type: "boolean" }
      : { key: name, name, type: "metered", meter: "input_tokens" },
  );
  const body = JSON.stringify({ meters, plans: [], features });
  const published = await fetch(`${url}/v1/catalog`, { method: "PUT", headers, body });
  if (!published.ok) throw new Error(await published.text());
  const grants = Object.entries(given).map(([feature, windows]) => {
    const limits = windows.map((window) => ({ quantity: "1000000000000", window }));
    return { feature, entitlement: { feature, ...(limits.length === 0 ? {} : { limits }) } };
  });
  const owner = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  const ids = Array.from({ length: customers }, (_, number) => customerId(number));
  await owner`
    insert into billing.feature_grant (id, customer_id, feature, kind, entitlement, effective_at, reason_code, granted_by, granted_at)
    select 'fg_' || feature || '_' || place, customer, feature, 'grant', entitlement, now() - interval '1 hour', 'promotion', 'bench', now()
    from unnest(${ids}::text[]) with ordinality as asked (customer, place)
    cross join json_to_recordset(${JSON.stringify(grants)}::text::json) as given (feature text, entitlement jsonb)`;
  await owner`vacuum (analyze)`;
  await owner.end();
}
