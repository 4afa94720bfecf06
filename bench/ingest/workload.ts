import { type Instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import type { Meter, UsageEvent } from "../../src/domain/metering/index.ts";

/** The requests of a model API: each is one event that two meters read, split by two dimensions. */
export const meters: readonly Meter[] = ["input_tokens", "output_tokens"].map((property) => ({
  key: property,
  eventType: "model.request",
  aggregation: "sum",
  property,
  dimensions: ["model", "region"],
}));

export interface WorkloadOptions {
  /** Tells the events of one run of the command from those of others. */
  readonly name: string;
  readonly customers: number;
  /** The latest time of an event; the earliest is an hour before. */
  readonly at: Instant;
}

/** An endless row of events, each made from its place: whoever knows the options makes the same ones. */
export interface Workload {
  /** As a service sends it. */
  textOf(index: number): string;
  /** A JSON list of those from `from` up to, not including, `to`. */
  batchText(from: number, to: number): string;
  eventOf(index: number): UsageEvent;
  inputTokensOf(index: number): number;
}

export const [customerPrefix, customerDigits] = ["cus_", 10] as const;
export const customerId = (number: number) =>
  `${customerPrefix}${String(number).padStart(customerDigits, "0")}`;

const models = ["small", "medium", "large", "large-2026-01"];
const regions = ["eu-central-1", "us-east-1"];
const source = "gateway/eu-central-1";
const type = "model.request";

export function workload({ name, customers, at }: WorkloadOptions): Workload {
  const seconds = Array.from({ length: 3_600 }, (_, second) =>
    isoOf(instantOfEpochMs(at - 1_000 * (second + 1))).slice(0, -"000Z".length),
  );
  // Steps that share no factor with what they step through: neighbours differ in everything.
  const customerOf = (index: number) => customerId((index * 7_919) % customers);
  const idOf = (index: number) => `${name}-7000-8000-${index.toString(16).padStart(12, "0")}`;
  // One in fifty is late; all are out of order.
  const ageOf = (index: number) => (index % 50 === 0 ? (index * 13) % 3_600 : (index * 13) % 60);
  const timeOf = (index: number) =>
    `${seconds[ageOf(index)]}${String((index * 7) % 1_000).padStart(3, "0")}Z`;
  const inputTokensOf = (index: number) => (index * 31) % 8_191;
  const outputTokensOf = (index: number) => (index * 17) % 2_047;
  const modelOf = (index: number) => models[index % models.length] ?? "";
  const regionOf = (index: number) => regions[index % regions.length] ?? "";
  const textOf = (index: number) =>
    `{"id":"${idOf(index)}","source":"${source}","customer":"${customerOf(index)}","type":"${type}","time":"${timeOf(index)}",` +
    `"data":{"model":"${modelOf(index)}","region":"${regionOf(index)}","input_tokens":${inputTokensOf(index)},` +
    `"output_tokens":${outputTokensOf(index)}}}`;
  return {
    textOf,
    inputTokensOf,
    batchText(from, to) {
      let text = "[";
      for (let index = from; index < to; index++) text += (index === from ? "" : ",") + textOf(index);
      return `${text}]`;
    },
    eventOf: (index) => ({
      id: idOf(index),
      source,
      customerId: customerOf(index),
      type,
      time: instantOfEpochMs(Date.parse(timeOf(index))),
      data: {
        model: modelOf(index),
        region: regionOf(index),
        input_tokens: inputTokensOf(index),
        output_tokens: outputTokensOf(index),
      },
    }),
  };
}
