import type { Database } from "../../db/database.ts";
import { type ChangedCustomers, type ChangeTail, openChangeTail } from "../../db/entitlements/change-tail.ts";

type Listener = (changed: ChangedCustomers, turn: number) => void;

/** What is committed about customers, told to everybody in a process who remembers something. */
export class FollowedChanges {
  readonly #listeners: Listener[] = [];
  #tail: ChangeTail | undefined;

  /** How many times it has looked; zero until the first look. */
  get turn(): number {
    return this.#tail?.turn ?? 0;
  }

  /** Whether all that was committed until so long ago has been told. */
  isCurrent(ageMsMax: number): boolean {
    return this.#tail?.isCurrent(ageMsMax) ?? false;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  start(db: Pick<Database, "orm">): void {
    this.#tail = openChangeTail(db, {
      onChange: (changed, turn) => {
        for (const listener of this.#listeners) listener(changed, turn);
      },
    });
  }

  async close(): Promise<void> {
    await this.#tail?.close();
  }
}
