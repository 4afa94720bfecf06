import { BillingError } from "../errors.ts";
import type { Aggregation, Meter } from "../metering/index.ts";

/** A meter that is right, but of a kind whose usage cannot be kept yet. */
export class MeterNotStorableError extends BillingError {
  readonly code = "meter_not_storable";
}

/** What usage windows hold today. When they hold the state of every aggregation, this file goes. */
const storable: readonly Aggregation[] = ["count", "sum", "max"];

/** @throws MeterNotStorableError for the first meter whose usage cannot be kept yet */
export function requireStorable(meters: readonly Meter[]): void {
  for (const [index, { key, aggregation }] of meters.entries()) {
    if (storable.includes(aggregation)) continue;
    throw new MeterNotStorableError(
      `usage of meter "${key}" cannot be kept yet: ${aggregation} is understood, but only ${storable.join(", ")} are stored`,
      `meters[${index}].aggregation`,
    );
  }
}
