import { invariant } from "../errors.ts";
import type { JsonValue } from "../metering/index.ts";
import { Decimal, decimal } from "../money/index.ts";
import type { PeriodFacts } from "./close-period.ts";

/** Facts of a period that stay where they are and are read again when its invoice is derived again. */
const readAgain = ["terms", "meters", "usage", "before", "late", "waiting", "usageUntil"] as const;

/** What decided a period's invoice and moves on: periods as they were agreed then, grants, balance, what was carried. */
export type KnownFacts = Omit<PeriodFacts, (typeof readAgain)[number]>;

/** @param facts may have more than the domain asks for; it is kept too, except functions */
export function knownFactsOf(facts: KnownFacts & { readonly [name: string]: unknown }): JsonValue {
  const left = new Set<string>(readAgain);
  return toJson(Object.fromEntries(Object.entries(facts).filter(([name]) => !left.has(name))));
}

/** Plain data as JSON that says of each value what it is: `{"$decimal":"1.5"}`, `{"$integer":"12"}`. */
export function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return { $integer: value.toString() };
  if (value instanceof Decimal) return { $decimal: value.text };
  if (Array.isArray(value)) return value.map(toJson);
  invariant(typeof value === "object", "facts are plain data");
  const kept = Object.entries(value).filter(
    ([, field]) => field !== undefined && typeof field !== "function",
  );
  return Object.fromEntries(kept.map(([name, field]) => [name, toJson(field)]));
}

/** The reverse of {@link toJson}. */
export function fromJson(value: JsonValue): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJson);
  const { $integer, $decimal } = value as Readonly<Record<string, JsonValue>>;
  if (typeof $integer === "string") return BigInt($integer);
  if (typeof $decimal === "string") return decimal($decimal);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fromJson(field)]));
}
