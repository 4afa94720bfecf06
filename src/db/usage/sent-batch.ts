import type { UsageEvent } from "../../domain/metering/index.ts";
import { arrayLiteral, listItem } from "../array-literal.ts";
import { eventKey, payloadHash } from "./event-key.ts";
import type { DimensionNumbers } from "./known-numbers.ts";
import type { MeasuredContribution } from "./measurement.ts";

/** An event that its meters can measure; without contributions when none reads its type. */
export interface MeasuredEvent {
  readonly event: UsageEvent;
  readonly contributions: readonly MeasuredContribution[] | null;
}

/**
 * Events that share their type, their source, and to which meters and dimensions they contribute. Most of a batch is of
 * few kinds, so all this is looked up, sent and read once.
 */
export interface Kinds {
  /** One event of each. */
  readonly examples: readonly MeasuredEvent[];
  /** The kind of each event of the batch: 1 is the first of `examples`. */
  readonly ofEach: readonly number[];
}

export function kindsOf(batch: readonly MeasuredEvent[]): Kinds {
  const numbers = new Map<string, number>();
  const examples: MeasuredEvent[] = [];
  const ofEach = batch.map((measured) => {
    const text = kindText(measured);
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, examples.push(measured));
    return examples.length;
  });
  return { examples, ofEach };
}

/** Equal for events of one kind alone: lengths tell where a text ends, and dimensions are JSON in one line. */
function kindText({ event: { type, source }, contributions }: MeasuredEvent): string {
  let text = `${type.length} ${source.length} ${type}${source}`;
  if (contributions === null) return text;
  for (const { meter, dimensionsKey } of contributions) text += `\n${meter} ${dimensionsKey}`;
  return `${text}\n`;
}

/** Numbers that stand for what a batch names. */
export interface BatchNumbers {
  readonly dimensions: DimensionNumbers;
  /** Of each event's customer; undefined when nobody knows them. */
  readonly customers: readonly (string | undefined)[];
}

/** A batch as `usage.ingest` takes it: its parameters by name, each as text. */
export function sentBatch(
  batch: readonly MeasuredEvent[],
  { examples, ofEach }: Kinds,
  numbers: BatchNumbers,
) {
  const list = (itemOf: (measured: MeasuredEvent) => string) => `{${batch.map(itemOf).join()}}`;
  const listOfKinds = (itemOf: (example: MeasuredEvent) => string | null) =>
    arrayLiteral(examples.map(itemOf));
  return {
    keys: list(({ event }) => eventKey(event)),
    hashes: list(({ event }) => payloadHash(event)),
    ids: list(({ event }) => listItem(event.id)),
    times: list(({ event }) => `${event.time}`),
    customers: `{${numbers.customers.map((number) => number ?? "NULL").join()}}`,
    customerIds: unknownIds(batch, numbers.customers),
    // JSON has no line breaks of its own.
    said: batch.map(({ event }) => JSON.stringify(event.data)).join("\n"),
    quantities: list(({ contributions }) => quantitiesOf(contributions)),
    values: valuesOf(batch, examples),
    kinds: `{${ofEach.join()}}`,
    kindTypes: listOfKinds(({ event }) => event.type),
    kindSources: listOfKinds(({ event }) => event.source),
    kindMeters: listOfKinds(
      ({ contributions }) => contributions && arrayLiteral(contributions.map(({ meter }) => `${meter}`)),
    ),
    kindDimensions: listOfKinds(
      ({ contributions }) =>
        contributions &&
        arrayLiteral(contributions.map(({ dimensionsKey }) => `${numbers.dimensions.get(dimensionsKey)}`)),
    ),
  };
}

/** No item at all when every customer is known. */
function unknownIds(batch: readonly MeasuredEvent[], customers: readonly (string | undefined)[]): string {
  if (!customers.includes(undefined)) return "{}";
  return arrayLiteral(
    batch.map(({ event }, place) => (customers[place] === undefined ? event.customerId : null)),
  );
}

/** Decimals need no quotes. */
function quantitiesOf(contributions: MeasuredEvent["contributions"]): string {
  if (contributions === null) return "NULL";
  let texts = "";
  for (const { quantity } of contributions) texts += texts === "" ? quantity.text : `,${quantity.text}`;
  return `"{${texts}}"`;
}

/** No item at all when no meter counts values. */
function valuesOf(batch: readonly MeasuredEvent[], examples: readonly MeasuredEvent[]): string {
  const hasValues = ({ contributions }: MeasuredEvent) =>
    contributions?.some(({ value }) => value !== undefined) === true;
  if (!examples.some(hasValues)) return "{}";
  return arrayLiteral(
    batch.map(
      ({ contributions }) => contributions && arrayLiteral(contributions.map(({ value }) => value ?? null)),
    ),
  );
}
