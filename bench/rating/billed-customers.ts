import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { foldUsage } from "../../src/db/usage/folding.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant, instantOfEpochMs, type Period } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { UsageEvent } from "../../src/domain/metering/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";

export const january: Period = {
  start: instant("2026-01-01T00:00:00Z"),
  end: instant("2026-02-01T00:00:00Z"),
};

export const february: Period = { start: january.end, end: instant("2026-03-01T00:00:00Z") };

const classes = ["input_tokens", "output_tokens", "cached_tokens"];
const models = ["small", "medium", "large", "small-2", "medium-2", "large-2"];

const tiers = [
  { upTo: "100000", unitPriceMinor: "0.0003" },
  { upTo: "1000000", unitPriceMinor: "0.00025" },
  { upTo: "10000000", unitPriceMinor: "0.0002125" },
  { upTo: null, unitPriceMinor: "0.00018" },
];

const usagePrices = (count: number) =>
  models.slice(0, count).flatMap((model) =>
    classes.map((meter) => ({
      key: `${meter}-${model}`,
      type: "usage",
      name: `${meter} of ${model}`,
      product: "tokens",
      meter,
      where: { model },
      included: "0",
      model: { type: "graduated", tiers },
    })),
  );

const fees = [
  { key: "base", type: "flat", name: "Base", product: "platform", timing: "in_advance", amountMinor: "2000" },
  {
    key: "seats",
    type: "seat",
    name: "Seats",
    product: "seats",
    timing: "in_advance",
    unitAmountMinor: "3000",
    includedSeats: 0,
  },
];

/** Token prices of a model API, three meters each split by the model: "team" bills 20 lines, "pro" prices six quantities. */
const catalog = {
  meters: classes.map((key) => ({
    key,
    eventType: "model.request",
    aggregation: "sum",
    property: key,
    dimensions: ["model"],
  })),
  plans: [
    { ...planOf("team", "Team"), prices: [...fees, ...usagePrices(models.length)] },
    { ...planOf("pro", "Pro"), prices: usagePrices(2) },
  ],
};

function planOf(key: string, name: string) {
  return {
    ...{ key, name, currency: "usd", interval: { unit: "month", count: 1 }, graceSeconds: 3_600 },
    // Credit that is given now pays for the month that is closed now.
    credits: { earlierUsage: "unbilled" },
  };
}

export const customerId = (number: number) => `cus_${String(number).padStart(8, "0")}`;

/** Customers with whole UTC days, and the plans that they will be on. */
export async function addCustomers(db: Database, customers: number): Promise<void> {
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  const ids = Array.from({ length: customers }, (_, number) => customerId(number));
  await db.sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
    select id, id, 'benchmark@example.com', 'usd', 'UTC', now()
    from json_array_elements_text(${JSON.stringify(ids)}::text::json) as id`;
}

export interface UsageToTakeIn {
  readonly customers: number;
  readonly eventsEach: number;
  /** How many of the models are used. */
  readonly models: number;
  readonly month: Period;
}

const batch = 2_000;

/** Requests on days all over the month, taken in as services send them, and folded into windows. */
export async function takeInUsage(db: Database, usage: UsageToTakeIn, note: Note): Promise<void> {
  const meters = await publishedMeters(db.orm);
  const events = usage.customers * usage.eventsEach;
  for (let from = 0; from < events; from += batch) {
    if (from % 50_000 === 0) note(`${from} of ${events} events`);
    const count = Math.min(batch, events - from);
    const sent = Array.from({ length: count }, (_, place) => eventOf(from + place, usage));
    const outcomes = await ingestEvents(db, sent, meters);
    if (outcomes.some(({ status }) => status !== "accepted")) throw new Error("an event was not accepted");
  }
  note("folding");
  while ((await inTransaction(db, foldUsage)).isBehind);
}

function eventOf(index: number, { customers, models: modelsUsed, month }: UsageToTakeIn): UsageEvent {
  const nth = Math.floor(index / customers);
  const dayMs = 86_400_000;
  return {
    id: `event-${month.start}-${index}`,
    source: "gateway",
    customerId: customerId(index % customers),
    type: "model.request",
    time: instantOfEpochMs(month.start + ((nth * 5) % 28) * dayMs + ((index * 7_919) % dayMs)),
    data: {
      model: models[nth % modelsUsed] ?? "",
      input_tokens: 10_000 + ((index * 31) % 81_910),
      output_tokens: 1_000 + ((index * 17) % 20_470),
      cached_tokens: 1 + ((index * 13) % 4_095),
    },
  };
}
