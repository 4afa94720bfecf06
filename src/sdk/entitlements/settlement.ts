import { ask } from "./connection.ts";
import type { CutOff, CutOffReport } from "./cut-off.ts";
import { type Settings, tell } from "./options.ts";

/** Reports of cut-offs that are over, until Reckoner has them. */
export class Settlement {
  readonly #settings: Settings;
  readonly #reports: CutOffReport[] = [];
  #sending: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  add(cutOff: CutOff, endedAtMs: number): void {
    if (!cutOff.isEmpty) this.#reports.push(cutOff.report(endedAtMs));
  }

  /** Gives true when all have been taken. */
  async send(): Promise<boolean> {
    if (this.#reports.length === 0) return true;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
    return this.#reports.length === 0;
  }

  async #sendAll(): Promise<void> {
    const { customer, address, onProblem } = this.#settings;
    const path = `/v1/customers/${encodeURIComponent(customer)}/edge-cut-offs`;
    for (let report = this.#reports[0]; report !== undefined; report = this.#reports[0]) {
      try {
        await ask(address, path, { body: report, headers: { "idempotency-key": report.id } });
      } catch (error) {
        // It is sent again with the next word that is heard.
        return tell(onProblem, error);
      }
      this.#reports.shift();
    }
  }
}
