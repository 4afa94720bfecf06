import { measurerOf } from "../../db/usage/measurement.ts";
import type { StoredMeter } from "../../db/usage/meters-in-force.ts";
import { BillingError } from "../../domain/errors.ts";
import type { MeterReading } from "../../domain/invoicing/index.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { RequestRefusedError } from "../refusals.ts";

/**
 * What a request contributes to each meter, as its usage event will. @param meters one version of each
 * @throws the refusal of a meter that cannot measure it; RequestRefusedError `reservation_not_measured`
 */
export function usedBy(event: UsageEvent, meters: readonly StoredMeter[]): readonly MeterReading[] {
  const measured = measurerOf(meters)(event);
  if (measured instanceof BillingError) throw measured;
  if (measured !== null) return measured;
  const message = `no meter reads events of the type "${event.type}": check the catalog`;
  throw new RequestRefusedError("reservation_not_measured", message, "event.type");
}
