import { type Listeners, tell, type UsageProblemCode, type UsageRecovery } from "./notices.ts";

/** Something that works or does not. It is told when that changes, not with every attempt. */
export class Trouble {
  readonly #listeners: Listeners;
  readonly #recovery: UsageRecovery;
  #current: UsageProblemCode | undefined;

  constructor(listeners: Listeners, recovery: UsageRecovery) {
    this.#listeners = listeners;
    this.#recovery = recovery;
  }

  /** Why it does not work; undefined while it works. */
  get current(): UsageProblemCode | undefined {
    return this.#current;
  }

  begins(code: UsageProblemCode, detail: string): void {
    if (this.#current === code) return;
    this.#current = code;
    tell(this.#listeners.onProblem, { code, detail, count: 0 });
  }

  ends(): void {
    if (this.#current === undefined) return;
    this.#current = undefined;
    tell(this.#listeners.onRecovery, this.#recovery);
  }
}
