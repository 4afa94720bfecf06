import type { Stored } from "./objects.ts";

/** Fields that lists filter by; an index keeps those lists fast when a run holds 10,000 invoices. */
const indexedFields = [
  "charge",
  "customer",
  "event",
  "invoice",
  "line_id",
  "meter_customer",
  "number",
  "payment_intent",
  "source",
] as const;
export type IndexedField = (typeof indexedFields)[number];
export type FieldFilter = { readonly field: IndexedField; readonly value: string };

/** Objects of one kind, in the order they were created. */
export class Collection<Row extends Stored> {
  readonly #rows = new Map<string, Row>();
  readonly #order: string[] = [];
  readonly #positions = new Map<string, number>();
  readonly #index = new Map<string, Set<string>>();

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  put(row: Row): void {
    if (!this.#positions.has(row.id)) {
      this.#positions.set(row.id, this.#order.length);
      this.#order.push(row.id);
    }
    this.#rows.set(row.id, row);
    for (const [field, value] of Object.entries(row)) {
      if (typeof value === "string" && isIndexed(field)) this.#idsWith(field, value).add(row.id);
    }
  }

  remove(id: string): void {
    this.#rows.delete(id);
  }

  /** Newest first; with `field`, only rows whose field now has that value. */
  *newestFirst(filter?: FieldFilter): Generator<Row> {
    const ids = filter ? [...this.#idsWith(filter.field, filter.value)] : this.#order;
    for (let at = ids.length - 1; at >= 0; at -= 1) {
      const row = this.#rows.get(ids[at] ?? "");
      if (row && (!filter || fieldOf(row, filter.field) === filter.value)) yield row;
    }
  }

  #idsWith(field: string, value: string): Set<string> {
    const key = `${field}=${value}`;
    const known = this.#index.get(key) ?? new Set();
    this.#index.set(key, known);
    return known;
  }
}

/** Whether {@link Collection.newestFirst} can filter by this field. */
export function isIndexed(field: string): field is IndexedField {
  return indexedFields.some((indexed) => indexed === field);
}

function fieldOf(row: object, field: string): unknown {
  return Object.entries(row).find(([name]) => name === field)?.[1];
}
