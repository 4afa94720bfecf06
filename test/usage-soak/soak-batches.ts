import { isContradicted, isDuplicated, textOf, type Version } from "./soak-events.ts";

/** Who sends what with what: each batch is made from its place, so that sending it again needs no memory. */

export const clients = 8;
/** With duplicates and contradictions between 500 and 1,000 in a batch. */
const ownInBatch = 700;

export interface SentEvent {
  readonly index: number;
  readonly version: Version;
}

/** How many batches each client sends; the last has nothing but contradictions. */
export const batchesOf = (events: number) => fullBatches(events) + 1;

const fullBatches = (events: number) => Math.ceil(events / clients / ownInBatch);

/**
 * What a client sends as its n-th batch: events of its own, events that its neighbour sends at about the same time, and
 * contradictions of what was in its batch before, which has been answered.
 * @param events of all clients, a multiple of {@link clients}
 */
export function batchAt(events: number, client: number, place: number): SentEvent[] {
  const own = indexesAt(events, client, place).map(first);
  const ofNeighbour = indexesAt(events, (client + 1) % clients, place)
    .filter(isDuplicated)
    .map(first);
  const contradictions = indexesAt(events, client, place - 1)
    .filter(isContradicted)
    .map((index): SentEvent => ({ index, version: "other" }));
  return shuffled([...own, ...ofNeighbour, ...contradictions]);
}

const first = (index: number): SentEvent => ({ index, version: "first" });

export const batchText = (batch: readonly SentEvent[]) =>
  `[${batch.map(({ index, version }) => textOf(index, version)).join(",")}]`;

/** A client owns every eighth event, and takes its batches out of order. */
function indexesAt(events: number, client: number, place: number): number[] {
  const batches = fullBatches(events);
  if (place < 0 || place >= batches) return [];
  const from = ownInBatch * ((place * stepThrough(batches)) % batches);
  const length = Math.min(ownInBatch, events / clients - from);
  return Array.from({ length }, (_, offset) => (from + offset) * clients + client);
}

const shuffled = <Item>(items: readonly Item[]): Item[] => {
  const step = stepThrough(items.length);
  return items.map((_, place) => items[(place * step) % items.length] as Item);
};

/** A step that comes to each of so many places once, and to neighbours long after each other. */
function stepThrough(places: number): number {
  let step = Math.max(1, Math.floor(places * 0.618));
  while (commonDivisor(step, places) > 1) step++;
  return step;
}

const commonDivisor = (one: number, other: number): number =>
  other === 0 ? one : commonDivisor(other, one % other);
