import type { Instant } from "../../domain/calendar/index.ts";
import type { Database } from "../database.ts";
import { type SpendingPath, spendingPath } from "./spending-path.ts";

export interface PathRequest {
  readonly customerId: string;
  readonly user: string | null;
}

/**
 * Where requests count, as one process remembers it. What is remembered may be outdated: whoever places by it says which
 * revisions he knows, and is told when they are not those of now. Of customers on a test clock nothing is remembered.
 */
export class KnownPaths {
  readonly #db: Database;
  readonly #pathsMax: number;
  readonly #paths = new Map<string, Promise<SpendingPath | undefined>>();

  constructor(db: Database, pathsMax = 100_000) {
    this.#db = db;
    this.#pathsMax = pathsMax;
  }

  /** @param wall the time for customers without a test clock. Undefined when there is no such customer. */
  async of(request: PathRequest, wall: Instant): Promise<SpendingPath | undefined> {
    const key = keyOf(request);
    const known = await this.#paths.get(key);
    if (known !== undefined && wall < known.until) return known;
    const found = spendingPath(this.#db, request, wall);
    this.#remember(key, found);
    const path = await found.catch((error: unknown) => {
      this.#forget(key, found);
      throw error;
    });
    if (path === undefined || path.facts.isOnTestClock) this.#forget(key, found);
    return path;
  }

  forget(request: PathRequest): void {
    this.#paths.delete(keyOf(request));
  }

  #remember(key: string, found: Promise<SpendingPath | undefined>): void {
    this.#paths.delete(key);
    this.#paths.set(key, found);
    const [oldest] = this.#paths.keys();
    if (this.#paths.size > this.#pathsMax && oldest !== undefined) this.#paths.delete(oldest);
  }

  #forget(key: string, found: Promise<SpendingPath | undefined>): void {
    if (this.#paths.get(key) === found) this.#paths.delete(key);
  }
}

const keyOf = ({ customerId, user }: PathRequest): string => JSON.stringify([customerId, user]);
