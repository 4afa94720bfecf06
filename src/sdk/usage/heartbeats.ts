import type { Since } from "./batch.ts";
import { later, type ReporterClock, within } from "./clock.ts";
import type { Settings } from "./options.ts";
import { ReportedTimes } from "./reported-times.ts";
import type { Transport } from "./transport.ts";
import { Trouble } from "./trouble.ts";
import { createUuidV7 } from "./uuid-v7.ts";

/**
 * Says again and again up to when this process has sent everything: the time of its oldest event that the API has not
 * answered, or its clock less what an event may be older than its report. Says nothing while there are events whose times
 * it does not know: those that an earlier process has left. Never throws, and keeps nobody waiting.
 */
export class Heartbeats {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #clock: ReporterClock;
  readonly #unanswered: () => readonly Since[];
  readonly #startedMs: number;
  readonly #instance: string;
  readonly #times = new ReportedTimes();
  readonly #trouble: Trouble;
  readonly #ending = new AbortController();
  #cancel: () => void = () => {};

  constructor(
    settings: Settings,
    parts: { transport: Transport; clock: ReporterClock; unanswered: () => readonly Since[] },
  ) {
    const { transport, clock, unanswered } = parts;
    this.#settings = settings;
    this.#transport = transport;
    this.#clock = clock;
    this.#unanswered = unanswered;
    this.#startedMs = clock.monotonicMs();
    this.#instance = settings.instance ?? createUuidV7(() => clock.wallMs())();
    this.#trouble = new Trouble(settings.listeners, {
      code: "heartbeats_taken",
      detail: "the API takes heartbeats again",
    });
    this.#beatLater();
  }

  /** An event of this time was taken. */
  noted(sequence: number, time: string): void {
    if (!this.#isOff) this.#times.add(sequence, Date.parse(time));
  }

  /** The last one: when nothing is left, nobody needs to wait for this process any more. */
  async end(deadlineMs: number): Promise<void> {
    this.#cancel();
    if (!this.#isOff && this.#unanswered().length === 0 && deadlineMs > 0) {
      await this.#post({ final: true }, deadlineMs);
    }
    this.#ending.abort(new Error("the reporter is closing"));
  }

  get #isOff(): boolean {
    return this.#settings.heartbeatEveryMs === 0 || this.#ending.signal.aborted;
  }

  #beatLater(): void {
    if (this.#isOff) return;
    this.#cancel = later(this.#settings.heartbeatEveryMs, () => {
      void this.#beat().finally(() => this.#beatLater());
    });
  }

  async #beat(): Promise<void> {
    const completeUntilMs = this.#completeUntilMs();
    if (completeUntilMs === undefined) return;
    const complete_until = new Date(completeUntilMs).toISOString();
    await this.#post({ complete_until }, this.#settings.requestTimeoutMs);
  }

  #completeUntilMs(): number | undefined {
    const { heartbeatBehindMs } = this.#settings;
    const untilNowMs = this.#clock.wallMs() - heartbeatBehindMs;
    const unanswered = this.#unanswered();
    if (unanswered.some(({ sequence, atMs }) => sequence < 0 || atMs < this.#startedMs)) return undefined;
    const oldest = Math.min(...unanswered.map(({ sequence }) => sequence));
    return Math.min(untilNowMs, this.#times.earliestFrom(oldest));
  }

  async #post(said: object, timeoutMs: number): Promise<void> {
    const { heartbeatUrl: url, apiKey, source } = this.#settings;
    const { signal } = this.#ending;
    try {
      const body = JSON.stringify({ source, instance: this.#instance, ...said });
      const key = await within(apiKey(), timeoutMs, signal);
      const request = { url, apiKey: key, body, isCompressed: false, timeoutMs, signal };
      const { status, text } = await this.#transport.post(request);
      if (status >= 200 && status < 300) this.#trouble.ends();
      else if (status < 500 && status !== 429)
        this.#trouble.begins("heartbeat_refused", `the API answered ${status}: ${text.slice(0, 500)}`);
    } catch {
      // The API is away, which those who send events say; the next heartbeat says more than this one would have.
    }
  }
}
