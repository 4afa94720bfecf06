import { instant, instantOfEpochMs, isoOf, period } from "../../src/domain/calendar/index.ts";
import type { Meter } from "../../src/domain/metering/index.ts";

/** Events and what is counted of them, each made from its index: nothing of ten million has to be remembered. */

export const meters: readonly Meter[] = [
  {
    key: "tokens",
    eventType: "soak.request",
    aggregation: "sum",
    property: "tokens",
    dimensions: ["model", "region"],
  },
  {
    key: "compute_seconds",
    eventType: "soak.request",
    aggregation: "sum",
    property: "seconds",
    dimensions: ["model"],
  },
];

export const customers = Array.from({ length: 40 }, (_, number) => ({
  id: `cus_${number}`,
  timeZone: ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"][number % 4] ?? "",
}));

/** `first` is sent before and counts; `other` has its key and says something else. */
export type Version = "first" | "other";

const dayMs = 86_400_000;
const begin = instant("2026-02-20T06:00:00Z");
const lateDaysMax = 40;
const source = "soak";
const models = ["small", "medium", "large", "large-2026-01"];
const regions = ["eu-central-1", "us-east-1"];

/** Holds every event of up to a hundred million. */
export const everything = period(
  instantOfEpochMs(begin - (lateDaysMax + 1) * dayMs),
  instantOfEpochMs(begin + 2 * dayMs),
);

export const idOf = (index: number) => `${source}-${index}`;

/** 5 % are sent again, 1 % are contradicted, 2 % are late by days. */
export const isDuplicated = (index: number) => scattered(index, 1) % 100 < 5;
export const isContradicted = (index: number) => scattered(index, 2) % 100 < 1;
const isLate = (index: number) => scattered(index, 3) % 100 < 2;

const customerOf = (index: number) => scattered(index, 4) % customers.length;
const tokensOf = (index: number) => scattered(index, 5) % 8_192;
const computeMsOf = (index: number) => scattered(index, 6) % 30_000;

/** They follow each other by the millisecond, out of order by up to a minute. */
function timeOf(index: number): string {
  const daysLate = isLate(index) ? 1 + (scattered(index, 7) % lateDaysMax) : 0;
  const jitterMs = scattered(index, 8) % 60_000;
  return isoOf(instantOfEpochMs(begin + index + jitterMs - daysLate * dayMs));
}

/** As a service sends it. */
export function textOf(index: number, version: Version): string {
  const place = scattered(index, 9);
  const tokens = tokensOf(index) + (version === "other" ? 1 : 0);
  return (
    `{"id":"${idOf(index)}","source":"${source}","customer":"${customers[customerOf(index)]?.id}",` +
    `"type":"soak.request","time":"${timeOf(index)}","data":{"model":"${models[place % 4]}",` +
    `"region":"${regions[(place >>> 2) % 2]}","tokens":${tokens},"seconds":${computeMsOf(index) / 1_000}}}`
  );
}

export interface CustomerCount {
  events: number;
  tokens: number;
  computeMs: number;
}

/** What must be found in the end, when the events below an index were sent. */
export interface SoakCount {
  /** In the order of {@link customers}. */
  readonly byCustomer: readonly Readonly<CustomerCount>[];
  readonly contradicted: number;
  /** Of the indexes of those that are contradicted. */
  readonly contradictedSum: bigint;
}

export function countOf(events: number): SoakCount {
  const byCustomer = customers.map((): CustomerCount => ({ events: 0, tokens: 0, computeMs: 0 }));
  let [contradicted, contradictedSum] = [0, 0n];
  for (let index = 0; index < events; index++) {
    const count = byCustomer[customerOf(index)];
    if (count === undefined) throw new Error("every event has a customer");
    count.events += 1;
    count.tokens += tokensOf(index);
    count.computeMs += computeMsOf(index);
    if (isContradicted(index)) {
      contradicted += 1;
      contradictedSum += BigInt(index);
    }
  }
  return { byCustomer, contradicted, contradictedSum };
}

/** 32 bits that look like chance, independent for each salt (the last steps of MurmurHash3). */
function scattered(index: number, salt: number): number {
  let bits = Math.imul(index ^ Math.imul(salt, 0x9e3779b9), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
