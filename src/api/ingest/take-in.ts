import type { IngestOutcome } from "../../db/usage/usage-ingest.ts";
import {
  type UsageWriter,
  UsageWriterBusyError,
  UsageWriterClosedError,
  UsageWriterUnavailableError,
} from "../../db/usage/usage-writer.ts";
import { BillingError } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { RequestRefusedError } from "../refusals.ts";
import { type EventClocks, parsedEvents } from "./parsed-events.ts";

export interface TakingIn extends EventClocks {
  readonly writer: Pick<UsageWriter, "take">;
}

/** So many are parsed and measured in one go, some milliseconds; then others have their turn. */
const pieceMax = 1_000;

/**
 * Each event is parsed on its own: a bad one is invalid, its neighbours are taken in. Large batches go in pieces, one
 * after the other, so that of events with the same key the first is the one that counts.
 * @throws RequestRefusedError when not all of them could be taken in; those that were will then be duplicates
 */
export async function takeIn(
  inputs: readonly unknown[],
  taking: TakingIn,
): Promise<readonly IngestOutcome[]> {
  if (inputs.length <= pieceMax) return takePiece(inputs, taking);
  const outcomes: IngestOutcome[] = [];
  for (let from = 0; from < inputs.length; from += pieceMax) {
    outcomes.push(...(await takePiece(inputs.slice(from, from + pieceMax), taking)));
  }
  return outcomes;
}

async function takePiece(
  inputs: readonly unknown[],
  { writer, ...clocks }: TakingIn,
): Promise<readonly IngestOutcome[]> {
  const parsed = await parsedEvents(inputs, clocks);
  const events = parsed.filter((event): event is UsageEvent => !(event instanceof BillingError));
  const outcomes = await writer.take(events).catch(refuse);
  if (events.length === parsed.length) return outcomes;
  const ofEvents = outcomes.values();
  return parsed.map((event) =>
    event instanceof BillingError
      ? { status: "invalid", refusal: event }
      : (ofEvents.next().value as IngestOutcome),
  );
}

function refuse(error: unknown): never {
  if (error instanceof UsageWriterBusyError) {
    throw new RequestRefusedError("too_many_requests", `${error.message}: send these again in a second`);
  }
  if (error instanceof UsageWriterUnavailableError || error instanceof UsageWriterClosedError) {
    throw new RequestRefusedError("unavailable", error.message);
  }
  throw error;
}
