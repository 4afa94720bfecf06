import { createHash } from "node:crypto";
import type { Database } from "../../db/database.ts";
import type { ChangedCustomers } from "../../db/entitlements/change-tail.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import { found } from "../refusals.ts";
import type { FollowedChanges } from "./followed-changes.ts";
import { snapshotContent } from "./snapshot-content.ts";
import type { SnapshotSigner } from "./snapshot-signer.ts";
import type { SnapshotClaims, SnapshotContent } from "./snapshot-wire.ts";

/** For so long a snapshot may be used without a renewal. */
export const validMs = 120_000;
/** So many snapshots are read from the database at once: checks go on beside them when all of them change. */
const readsMax = 4;

/** What a customer may use, as it is now as far as is known here. */
export interface CurrentSnapshot {
  readonly digest: string;
  /** Signed with this moment's time. */
  readonly signed: () => string;
  /** The same without the content, for who has it. */
  readonly renewal: () => string;
  /** Until when, by `performance.now()`, it is right if nothing is committed. */
  readonly rightUntilMs: number;
}

/** Who waits for a customer's next snapshot. */
export interface SnapshotWatch {
  /** Gives true as soon as something has changed since the last call, false after so many milliseconds. */
  changed(waitMsMax: number): Promise<boolean>;
  close(): void;
}

interface Watched {
  current: Promise<CurrentSnapshot> | undefined;
  readonly wakers: Set<() => void>;
}

interface FeedParts {
  readonly db: Database;
  readonly now: () => Instant;
  readonly changes: FollowedChanges;
  readonly signer: () => SnapshotSigner;
}

/** Snapshots of the customers that somebody watches: read once for all of them, and anew when something is committed about one. */
export class SnapshotFeed {
  readonly #parts: FeedParts;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting: (() => void)[] = [];
  #reading = 0;
  #isClosed = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    parts.changes.listen((changed) => this.#outdate(changed));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether all that was committed until a moment ago has been told to those who watch. */
  get isCurrent(): boolean {
    return this.#parts.changes.isCurrent(1_000);
  }

  watch(customerId: string): SnapshotWatch {
    const watched = this.#watched.get(customerId) ?? { current: undefined, wakers: new Set() };
    this.#watched.set(customerId, watched);
    let hasChanged = false;
    let wakeUp = () => {};
    const waker = () => {
      hasChanged = true;
      wakeUp();
    };
    watched.wakers.add(waker);
    return {
      async changed(waitMsMax) {
        if (!hasChanged && waitMsMax > 0) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, waitMsMax);
            wakeUp = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        const answer = hasChanged;
        hasChanged = false;
        return answer;
      },
      close: () => {
        watched.wakers.delete(waker);
        if (watched.wakers.size === 0) this.#watched.delete(customerId);
      },
    };
  }

  /** @throws NotFoundError `customer_not_found` */
  async current(customerId: string): Promise<CurrentSnapshot> {
    const watched = this.#watched.get(customerId);
    if (watched === undefined) return await this.#read(customerId);
    const known = await watched.current?.catch(() => undefined);
    if (known !== undefined && performance.now() < known.rightUntilMs) return known;
    const reading = this.#read(customerId);
    watched.current = reading;
    return await reading;
  }

  /** Wakes all who watch, for the last time. */
  close(): void {
    this.#isClosed = true;
    this.#outdate("all");
  }

  #outdate(changed: ChangedCustomers): void {
    for (const customerId of changed === "all" ? [...this.#watched.keys()] : changed) {
      const watched = this.#watched.get(customerId);
      if (watched === undefined) continue;
      watched.current = undefined;
      for (const wake of watched.wakers) wake();
    }
  }

  async #read(customerId: string): Promise<CurrentSnapshot> {
    if (this.#reading >= readsMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reading += 1;
    try {
      const { db, now, signer } = this.#parts;
      const { sign } = signer();
      const begunAt = performance.now();
      const answer = found(await snapshotContent(db, customerId, now()), "customer", customerId);
      const { content, changesInMs } = answer;
      const digest = digestOf(content);
      const claims = (): SnapshotClaims => {
        const iat = now() / 1_000;
        return {
          ...{ sub: customerId, iat, exp: iat + validMs / 1_000, digest },
          ...{ position: String(answer.position), as_of: isoOf(answer.asOf) },
        };
      };
      return {
        digest,
        signed: () => sign({ ...claims(), content }),
        renewal: () => sign(claims()),
        rightUntilMs: begunAt + changesInMs,
      };
    } finally {
      this.#reading -= 1;
      this.#waiting.shift()?.();
    }
  }
}

const digestOf = (content: SnapshotContent): string =>
  createHash("sha256")
    .update(canonicalJson(content as unknown as JsonValue))
    .digest("base64url");
