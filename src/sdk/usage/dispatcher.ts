import type { Verdict } from "./answer.ts";
import type { Batch } from "./batch.ts";
import type { ReporterClock } from "./clock.ts";
import type { Gate } from "./gate.ts";
import type { Settings } from "./options.ts";
import type { Sender } from "./sender.ts";
import type { Tally } from "./tally.ts";
import type { Trouble } from "./trouble.ts";

/** The longest that a batch which fails alone stands back. */
const standBackMaxMs = 300_000;
/** For each request under way, how many failed batches are kept before no new ones are begun. */
const waitingPerRequest = 2;

export interface DispatcherParts {
  readonly settings: Settings;
  readonly clock: ReporterClock;
  readonly gate: Gate;
  readonly sender: Sender;
  readonly tally: Tally;
  readonly api: Trouble;
  /** The next batch that was not sent before. */
  readonly next: () => Batch | undefined;
  /** Something was answered, or has to wait. */
  readonly onChange: () => void;
}

/** Sends batches, so many at a time, until each of their events is answered. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #inFlight = new Map<Batch, Promise<void>>();
  /** To be sent again. */
  #waiting: Batch[] = [];
  #isStopping = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  get requestsInFlight(): number {
    return this.#inFlight.size;
  }

  /** All that it has in hand. */
  get batches(): readonly Batch[] {
    return [...this.#inFlight.keys(), ...this.#waiting];
  }

  /** Whether a request could begin now, if there were something to send. */
  get canBegin(): boolean {
    const { gate, settings } = this.#parts;
    return this.#inFlight.size < gate.width(settings.requestsInFlightMax) && this.#hasRoomForNew;
  }

  /** When the gate opens, or else a batch that stands back may be sent; the end of a request is told by itself. */
  get dueMs(): number {
    const { gate, clock, settings } = this.#parts;
    if (!gate.isOpen && gate.opensAtMs > clock.monotonicMs()) return gate.opensAtMs;
    if (this.#inFlight.size >= gate.width(settings.requestsInFlightMax)) return Number.POSITIVE_INFINITY;
    return Math.min(...this.#waiting.map(({ notBeforeMs }) => notBeforeMs));
  }

  /** Begins as many requests as may be under way now. */
  run(): void {
    const { gate, settings } = this.#parts;
    while (this.#inFlight.size < gate.width(settings.requestsInFlightMax)) {
      const batch = this.#pick();
      if (batch === undefined) return;
      this.#inFlight.set(batch, this.#deliver(batch));
    }
  }

  /** Takes over batches, to send them when their turn comes. */
  take(batches: readonly Batch[]): void {
    this.#waiting.push(...batches);
  }

  /** Gives those that wait and are only in memory to somebody who writes them to disk. */
  giveFromMemory(): Batch[] {
    const [given, kept] = [[] as Batch[], [] as Batch[]];
    for (const batch of this.#waiting) (batch.home.kind === "memory" ? given : kept).push(batch);
    this.#waiting = kept;
    return given;
  }

  /** All that is in memory alone, what is under way included, for a last look at it. */
  giveAllFromMemory(): Batch[] {
    const underWay = [...this.#inFlight.keys()].filter(({ home }) => home.kind === "memory");
    return [...underWay, ...this.giveFromMemory()];
  }

  /** Ends what is under way; what was not answered waits afterwards. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#parts.sender.abort();
    await Promise.all(this.#inFlight.values());
    this.#parts.sender.close();
  }

  #pick(): Batch | undefined {
    const now = this.#parts.clock.monotonicMs();
    const index = this.#waiting.findIndex(({ notBeforeMs }) => notBeforeMs <= now);
    if (index >= 0) return this.#waiting.splice(index, 1)[0];
    return this.#hasRoomForNew ? this.#parts.next() : undefined;
  }

  /** Those under suspicion do not count: they must never be why nothing else is sent. */
  get #hasRoomForNew(): boolean {
    const held = this.#waiting.filter(({ failures }) => failures < 2).length;
    return held < this.#parts.settings.requestsInFlightMax * waitingPerRequest;
  }

  async #deliver(batch: Batch): Promise<void> {
    const verdict = await this.#parts.sender.send(batch);
    this.#inFlight.delete(batch);
    this.#conclude(batch, verdict);
    this.#parts.onChange();
  }

  #conclude(batch: Batch, verdict: Verdict): void {
    const { gate, tally, api } = this.#parts;
    if (verdict.kind === "later") {
      if (!this.#isStopping) api.begins(verdict.code, verdict.detail);
      gate.fail(verdict.wishMs);
      this.#waiting.push(...(verdict.mayBeTheBatch ? this.#suspect(batch) : [batch]));
      return;
    }
    gate.pass();
    api.ends();
    if (verdict.kind === "answered") {
      tally.answered(batch.texts, verdict.counts, verdict.results);
      batch.home.release(batch);
      return;
    }
    if (batch.texts.length > 1) this.#waiting.push(...batch.halves());
    else if (verdict.isReckoners) {
      const { reason: code, detail, field } = verdict;
      tally.refusedByApi(batch.texts[0] ?? "", { code, detail, ...(field === undefined ? {} : { field }) });
      batch.home.release(batch);
    } else this.#waiting.push(...this.#suspect(batch));
  }

  /**
   * A batch that made the API fail stands back for the others, longer each time. When it fails again although the API has
   * answered others meanwhile, the fault is in it: its halves are tried, until one event stands alone. That one is never
   * given up.
   */
  #suspect(batch: Batch): readonly Batch[] {
    const { settings, gate, clock, tally } = this.#parts;
    const othersWereAnswered = tally.batchesAnswered > batch.answeredAtFailure;
    const isItself = batch.failures > 0 && othersWereAnswered;
    if (batch.failures === 0 || isItself) batch.failures++;
    batch.answeredAtFailure = tally.batchesAnswered;
    const parts = isItself && batch.texts.length > 1 ? batch.halves() : [batch];
    const standBackMs = Math.min(settings.backoffFirstMs * 2 ** batch.failures, standBackMaxMs);
    for (const part of parts) part.notBeforeMs = Math.max(gate.opensAtMs, clock.monotonicMs()) + standBackMs;
    return parts;
  }
}
