import type { Batch, Since } from "./batch.ts";
import { Alarm, type ReporterClock, systemClock } from "./clock.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DropTeller } from "./drop-teller.ts";
import { Flushes } from "./flushes.ts";
import { Gate } from "./gate.ts";
import { Heartbeats } from "./heartbeats.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { tell } from "./notices.ts";
import type { Settings } from "./options.ts";
import { Sender } from "./sender.ts";
import { gatherMs, Spiller } from "./spiller.ts";
import type { OpenSpool, Spool } from "./spool.ts";
import { Tally } from "./tally.ts";
import type { Transport } from "./transport.ts";
import { Trouble } from "./trouble.ts";
import {
  isoClock,
  type Refusal,
  type UsageEventInput,
  type WritingRules,
  writeEvent,
} from "./usage-event.ts";
import type { ReportResult, UsageReporter, UsageStats, WaitOptions } from "./usage-reporter.ts";
import { createUuidV7 } from "./uuid-v7.ts";

export interface ReporterParts {
  readonly transport: Transport;
  /** Undefined where there is no disk. */
  readonly openSpool?: OpenSpool | undefined;
  readonly isSpoolFirst?: boolean | undefined;
  readonly clock?: ReporterClock | undefined;
}

const flushDeadlineMs = 30_000;
const closeDeadlineMs = 5_000;
const notOnDisk = Promise.resolve(false);

/** Memory, disk and API, and what moves events from one to the other. */
export class Reporter implements UsageReporter {
  readonly #clock: ReporterClock;
  readonly #queue: MemoryQueue;
  readonly #tally: Tally;
  readonly #drops: DropTeller;
  readonly #api: Trouble;
  readonly #dispatcher: Dispatcher;
  readonly #spool: Spool | undefined;
  readonly #spiller: Spiller | undefined;
  readonly #flushes = new Flushes();
  readonly #heartbeats: Heartbeats;
  readonly #alarm: Alarm;
  readonly #settings: Settings;
  readonly #writingRules: WritingRules;
  /** How long an event may wait in memory before somebody looks at it. */
  readonly #lookMs: number;
  /** What memory was like when it was looked at last. */
  #seen = { hasFullBatch: false, isFilling: false };
  #closing: Promise<UsageStats> | undefined;
  #isStopped = false;

  constructor(
    settings: Settings,
    { transport, openSpool, isSpoolFirst = false, clock = systemClock }: ReporterParts,
  ) {
    const { listeners, source, batchAgeMs, batchBytesMax: lengthMax } = settings;
    const onChange = () => this.#work();
    const gate = new Gate(settings, clock);
    const wallMs = () => clock.wallMs();
    const queue = new MemoryQueue(settings);
    const tally = new Tally(listeners);
    this.#settings = settings;
    this.#clock = clock;
    this.#queue = queue;
    this.#tally = tally;
    this.#drops = new DropTeller(listeners, tally);
    this.#api = new Trouble(listeners, { code: "api_answers", detail: "the API answers again" });
    this.#alarm = new Alarm(clock, onChange);
    this.#writingRules = { source, isoNow: isoClock(wallMs), newId: createUuidV7(wallMs), lengthMax };
    this.#lookMs = isSpoolFirst ? Math.min(gatherMs, batchAgeMs) : batchAgeMs;
    const sender = new Sender(settings, transport, clock);
    const next = () => this.#next();
    const dispatcher = new Dispatcher({
      settings,
      clock,
      gate,
      sender,
      tally,
      api: this.#api,
      next,
      onChange,
    });
    this.#dispatcher = dispatcher;
    const nextSequence = () => queue.nextSequence;
    const spool = openSpool?.({ limits: settings, listeners, clock, nextSequence, onChange });
    this.#spool = spool;
    this.#heartbeats = new Heartbeats(settings, { transport, clock, unanswered: () => this.#unanswered });
    this.#spiller =
      spool && new Spiller({ spool, isSpoolFirst, batchAgeMs, queue, dispatcher, gate, tally, onChange });
  }

  report(event: UsageEventInput): ReportResult {
    if (this.#closing !== undefined) return this.#refused(afterClosing);
    const written = writeEvent(event, this.#writingRules);
    if ("code" in written) return this.#refused(written);
    const { id, source, time, text } = written;
    const now = this.#clock.monotonicMs();
    if (!this.#queue.push(text, now)) {
      this.#drops.dropped(1);
      return { status: "dropped", source, id };
    }
    this.#tally.counts.taken++;
    this.#heartbeats.noted(this.#queue.nextSequence - 1, time);
    this.#alarm.setFor(this.#isNews() ? now : now + this.#lookMs);
    return { status: "taken", source, id, flushedToDisk: this.#spiller?.receipt ?? notOnDisk };
  }

  flush({ deadlineMs = flushDeadlineMs }: WaitOptions = {}): Promise<boolean> {
    const isDone = this.#flushes.add(this.#queue.nextSequence, deadlineMs);
    this.#work();
    return isDone;
  }

  close({ deadlineMs = closeDeadlineMs }: WaitOptions = {}): Promise<UsageStats> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  stats(): UsageStats {
    const now = this.#clock.monotonicMs();
    return {
      ...this.#tally.counts,
      queued: this.#queue.heldCount,
      queuedBytes: this.#queue.heldBytes,
      requestsInFlight: this.#dispatcher.requestsInFlight,
      spool: this.#spool?.size ?? { segments: 0, bytes: 0 },
      lagMs: Math.max(0, ...this.#unanswered.map(({ atMs }) => now - atMs)),
      apiProblem: this.#api.current,
    };
  }

  /** Saves on disk what is in memory, at once: the process is ending and nothing that takes time will happen any more. */
  rescue(): void {
    this.#isStopped = true;
    const rest = this.#allInMemory();
    if (rest.length === 0 && this.#spool === undefined) return;
    const texts = rest.flatMap((batch) => batch.texts);
    if (this.#spool?.rescue(texts) !== true) this.#lose(rest);
    this.#drops.tell();
  }

  async #close(deadlineMs: number): Promise<UsageStats> {
    // Also while files are being closed somebody waits for this, and timers and sockets keep nobody alive.
    const staying = setInterval(() => {}, 60_000);
    const endMs = this.#clock.monotonicMs() + deadlineMs;
    await this.flush({ deadlineMs });
    await this.#heartbeats.end(endMs - this.#clock.monotonicMs());
    this.#isStopped = true;
    this.#alarm.clear();
    await this.#dispatcher.stop();
    await this.#spiller?.idle;
    const rest = this.#allInMemory();
    if (rest.length > 0 && (await this.#spiller?.write(rest)) !== true) this.#lose(rest);
    await this.#spool?.close();
    this.#drops.tell();
    clearInterval(staying);
    return this.stats();
  }

  /** Moves on whatever can be moved on, and looks again when more can be. */
  #work(): void {
    if (this.#isStopped) return;
    const now = this.#clock.monotonicMs();
    this.#spiller?.run(now, this.#isUrgent(this.#queue.oldest));
    this.#dispatcher.run();
    const { hasFullBatch, isFilling } = this.#queue;
    this.#seen = { hasFullBatch, isFilling };
    const sequences = this.#unanswered.map(({ sequence }) => sequence);
    this.#flushes.progress(sequences.length === 0 ? undefined : Math.min(...sequences));
    this.#alarm.setFor(this.#dueMs());
  }

  /** Whether there is more to do than when memory was looked at last: it is not worth looking for every event. */
  #isNews(): boolean {
    const { hasFullBatch, isFilling } = this.#seen;
    return (!hasFullBatch && this.#queue.hasFullBatch) || (!isFilling && this.#queue.isFilling);
  }

  #dueMs(): number {
    const writeDueMs = this.#spiller?.dueMs ?? Number.POSITIVE_INFINITY;
    const sendDueMs = this.#dispatcher.dueMs;
    // As long as no request can begin, whatever waits to be sent is not due.
    if (!this.#dispatcher.canBegin) return Math.min(writeDueMs, sendDueMs);
    const spoolDueMs = this.#spool?.dueMs ?? Number.POSITIVE_INFINITY;
    return Math.min(writeDueMs, sendDueMs, spoolDueMs, this.#memoryDueMs());
  }

  #memoryDueMs(): number {
    const { oldest } = this.#queue;
    const isSent = oldest !== undefined && this.#spiller?.isNeeded !== true;
    return isSent ? oldest.atMs + this.#settings.batchAgeMs : Number.POSITIVE_INFINITY;
  }

  /** What is on disk comes first: it is older. */
  #next(): Batch | undefined {
    const fromDisk = this.#spool?.next(this.#isUrgent(this.#spool.oldest));
    if (fromDisk !== undefined || this.#spiller?.isNeeded === true) return fromDisk;
    const isDue =
      this.#queue.hasFullBatch ||
      this.#isUrgent(this.#queue.oldest) ||
      this.#memoryDueMs() <= this.#clock.monotonicMs();
    return isDue ? this.#queue.take() : undefined;
  }

  #isUrgent(oldest: Since | undefined): boolean {
    return oldest !== undefined && oldest.sequence < this.#flushes.urgentUpTo;
  }

  get #unanswered(): Since[] {
    const batches = [...this.#dispatcher.batches, ...(this.#spiller?.batches ?? [])];
    const all = [this.#queue.oldest, this.#spool?.oldest, ...batches.map(({ since }) => since)];
    return all.filter((since) => since !== undefined);
  }

  #allInMemory(): Batch[] {
    const all = [...this.#dispatcher.giveAllFromMemory(), ...(this.#spiller?.batches ?? [])];
    for (let batch = this.#queue.take(); batch !== undefined; batch = this.#queue.take()) all.push(batch);
    return all;
  }

  #lose(batches: readonly Batch[]): void {
    for (const batch of batches) {
      batch.home.release(batch);
      this.#drops.dropped(batch.texts.length);
    }
  }

  #refused(refusal: Refusal): ReportResult {
    const { code: reason, field, detail } = refusal;
    this.#tally.counts.refused++;
    tell(this.#settings.listeners.onProblem, { code: "event_refused", detail, count: 1, reason, field });
    return { status: "refused", ...refusal };
  }
}

const afterClosing: Refusal = {
  code: "reporter_closed",
  detail: "the reporter was closed before this event",
};
