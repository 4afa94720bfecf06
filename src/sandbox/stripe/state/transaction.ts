import { createHash } from "node:crypto";
import { noSuch } from "../http/refusal.ts";
import type { Account, Commit } from "./account.ts";
import type { FieldFilter } from "./collection.ts";
import type { Kind, Objects } from "./objects.ts";

/**
 * The changes of one request, kept apart until they are committed as a whole. Handlers are synchronous, so
 * there is never more than one transaction at a time and no reader can see half of one.
 */
export class Transaction {
  readonly #account: Account;
  readonly #puts = new Map<string, Objects[Kind]>();
  readonly #removed = new Map<string, Kind>();
  #sequence: number;

  constructor(account: Account) {
    this.#account = account;
    this.#sequence = account.sequence;
  }

  get accountId(): string {
    return this.#account.id;
  }

  /** The account's time in seconds. */
  get now(): number {
    return this.#account.now();
  }

  /** A new id, unique over all accounts and the same again when the same calls are made of the same account. */
  newId(prefix: string): string {
    this.#sequence += 1;
    const digest = createHash("sha256").update(`${this.#account.id}/${this.#sequence}`).digest("base64url");
    return `${prefix}_1${digest.replaceAll(/[-_]/g, "").slice(0, 23)}`;
  }

  find<K extends Kind>(kind: K, id: string): Objects[K] | undefined {
    if (this.#removed.has(id)) return undefined;
    const staged = this.#puts.get(id);
    if (staged !== undefined) return staged.object === kind ? (staged as Objects[K]) : undefined;
    return this.#account.rows(kind).get(id);
  }

  /** Throws Stripe's `resource_missing`; `param` names the parameter the id came in. */
  get<K extends Kind>(kind: K, id: string, param?: string): Objects[K] {
    const found = this.find(kind, id);
    if (found === undefined) throw noSuch(kind, id, param);
    return found;
  }

  put<Row extends Objects[Kind]>(row: Row): Row {
    this.#puts.set(row.id, row);
    return row;
  }

  remove(kind: Kind, id: string): void {
    this.#puts.delete(id);
    this.#removed.set(id, kind);
  }

  /** Newest first, with what this transaction changed. `by` narrows to one value of one indexed field. */
  list<K extends Kind>(kind: K, by?: FieldFilter): Objects[K][] {
    const committed: Objects[K][] = [...this.#account.rows(kind).newestFirst(by)];
    const known = new Set(committed.map(({ id }) => id));
    const kept = committed.flatMap(({ id }) => this.find(kind, id) ?? []);
    const staged = [...this.#puts.values()].filter((row) => row.object === kind && !known.has(row.id));
    return [...(staged as Objects[K][]).toReversed(), ...kept].filter((row) => !by || matches(row, by));
  }

  /** What to write to the journal, or nothing when nothing changed. */
  commit(): Commit | undefined {
    if (this.#puts.size === 0 && this.#removed.size === 0) return undefined;
    return {
      account: this.#account.id,
      sequence: this.#sequence,
      puts: [...this.#puts.values()],
      removes: [...this.#removed].map(([id, kind]) => ({ id, kind })),
    };
  }
}

function matches(row: object, { field, value }: FieldFilter): boolean {
  return Object.entries(row).some(([name, held]) => name === field && held === value);
}
