import { LineMalformedError } from "../../api/ingest/json-lines.ts";
import { type EventClocks, parsedEvents } from "../../api/ingest/parsed-events.ts";
import type { LogRefusal } from "../../db/usage/usage-log.ts";
import type { LogBatch } from "../../db/usage/usage-log-writer.ts";
import { BillingError } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import type { ReadMessage, TakenMessages } from "./log-queue.ts";

/** Where an event was found. */
interface Origin {
  readonly message: ReadMessage;
  /** In its message, from 1. */
  readonly eventNumber: number;
  readonly input: unknown;
}

/** Parses the events of messages, each by itself. Where one is bad, or a whole message, its refusal is kept. */
export async function logBatchOf({ moves, messages }: TakenMessages, clocks: EventClocks): Promise<LogBatch> {
  const found = messages.flatMap(originsIn);
  const inputs = found.map(({ input }) => input);
  const parsed = await parsedEvents(inputs, clocks);
  const events: UsageEvent[] = [];
  const origins: Origin[] = [];
  const refusals = messages.flatMap(refusalOfWhole);
  for (const [index, origin] of found.entries()) {
    const event = parsed[index];
    if (event === undefined) continue;
    if (event instanceof BillingError) {
      refusals.push(refusalAt(origin, event));
    } else {
      events.push(event);
      origins.push(origin);
    }
  }
  return {
    moves,
    events,
    refusals,
    refused: (index, refusal) => refusalAt(origins[index] as Origin, refusal),
  };
}

const originsIn = (message: ReadMessage): Origin[] =>
  "inputs" in message.content
    ? message.content.inputs.map((input, index) => ({ message, eventNumber: index + 1, input }))
    : [];

function refusalOfWhole({ partition, offset, content, value }: ReadMessage): LogRefusal[] {
  if ("inputs" in content) return [];
  return [{ partition, offset, eventNumber: 0, refusal: content.refusal, content: value }];
}

function refusalAt({ message, eventNumber, input }: Origin, refusal: BillingError): LogRefusal {
  const content = input instanceof LineMalformedError ? input.line : Buffer.from(JSON.stringify(input));
  return { partition: message.partition, offset: message.offset, eventNumber, refusal, content };
}
