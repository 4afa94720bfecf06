import type { Listeners } from "./notices.ts";

/** What a reporter is made with, wherever it runs. Sizes of texts are in characters: bytes, as long as they are ASCII. */
export interface ReporterOptions extends Listeners {
  /** For example `https://reckoner.example`. */
  readonly apiUrl: string;
  /** A function is asked before every request, so that a key can be replaced while the service runs. */
  readonly apiKey: string | (() => string | Promise<string>);
  /** The source of events that name none. */
  readonly source?: string | undefined;
  /** A batch is sent when it has this many events (1,000; at most 10,000), */
  readonly batchEventsMax?: number | undefined;
  /** or is this long (1 MiB), */
  readonly batchBytesMax?: number | undefined;
  /** or when its oldest event has waited this long (200 ms). */
  readonly batchAgeMs?: number | undefined;
  /** 4 when left out. */
  readonly requestsInFlightMax?: number | undefined;
  /** After this an attempt has failed (30 s). */
  readonly requestTimeoutMs?: number | undefined;
  /** What events may take in memory until they are answered or on disk (32 MiB). */
  readonly memoryBytesMax?: number | undefined;
  /** The longest first pause after a failure (250 ms); it doubles with each failure in a row. */
  readonly backoffFirstMs?: number | undefined;
  /** The longest pause (30 s), unless the API asks for more. */
  readonly backoffMaxMs?: number | undefined;
  /**
   * How often the API is told up to when this process has sent everything, so that no invoice is made before that; not at
   * all when left out. Needs `source`.
   */
  readonly heartbeatEveryMs?: number | undefined;
  /** How much older than its report an event may be (60 s): heartbeats stay behind the clock by this. */
  readonly heartbeatBehindMs?: number | undefined;
  /** This process among those of its source; a random name when left out. */
  readonly instance?: string | undefined;
  /** Whether batches are sent compressed: true when left out. An API that does not read gzip is sent plain ones. */
  readonly gzip?: boolean | undefined;
}

/** A mistake in what the reporter was made with: the one error that is thrown, at the start, to whoever wrote it. */
export class UsageReporterOptionsError extends Error {
  readonly code = "usage_reporter_options_invalid";
  readonly option: string;

  constructor(option: string, message: string) {
    super(`${option} ${message}`);
    this.name = "UsageReporterOptionsError";
    this.option = option;
  }
}

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;
const dayMs = 86_400_000;

/** What each is when left out, and between what it must be. */
const numbers = {
  batchEventsMax: [1_000, 1, 10_000],
  // A character takes up to three bytes, and the API reads up to 10 MB.
  batchBytesMax: [mebibyte, kibibyte, 3 * mebibyte],
  batchAgeMs: [200, 0, dayMs],
  requestsInFlightMax: [4, 1, 64],
  requestTimeoutMs: [30_000, 1, dayMs],
  memoryBytesMax: [32 * mebibyte, 16 * kibibyte, 16 * 1_024 * mebibyte],
  backoffFirstMs: [250, 1, dayMs],
  backoffMaxMs: [30_000, 1, dayMs],
  heartbeatEveryMs: [0, 0, dayMs],
  heartbeatBehindMs: [60_000, 0, 30 * dayMs],
} as const;

type Numbers = Readonly<Record<keyof typeof numbers, number>>;

export interface Settings extends Numbers {
  /** Where batches are posted. */
  readonly url: URL;
  readonly heartbeatUrl: URL;
  readonly apiKey: () => string | Promise<string>;
  readonly source: string | undefined;
  readonly instance: string | undefined;
  readonly gzip: boolean;
  readonly listeners: Listeners;
}

/** @throws UsageReporterOptionsError naming the option at fault */
export function settingsFrom(options: ReporterOptions): Settings {
  const { apiKey, source, instance, gzip = true, onProblem, onRecovery, onAnswer } = options;
  if (typeof apiKey !== "function" && (typeof apiKey !== "string" || apiKey === "")) {
    throw new UsageReporterOptionsError("apiKey", "must be a key, or a function that gives one");
  }
  if (typeof onProblem !== "function") {
    throw new UsageReporterOptionsError("onProblem", "must be a function: usage must not be lost in silence");
  }
  if (source !== undefined && (typeof source !== "string" || source === "")) {
    throw new UsageReporterOptionsError("source", "must be text");
  }
  if (source === undefined && (options.heartbeatEveryMs ?? 0) !== 0) {
    throw new UsageReporterOptionsError(
      "source",
      "must be given with heartbeatEveryMs: heartbeats speak for it",
    );
  }
  if (instance !== undefined && (typeof instance !== "string" || instance === "")) {
    throw new UsageReporterOptionsError("instance", "must be text");
  }
  return {
    // Of events that are fine only those are told who asked for it.
    url: apiAddress(options.apiUrl, "events", `?results=${onAnswer === undefined ? "problems" : "all"}`),
    heartbeatUrl: apiAddress(options.apiUrl, "usage/heartbeats"),
    apiKey: typeof apiKey === "function" ? apiKey : () => apiKey,
    source,
    instance,
    gzip,
    listeners: { onProblem, onRecovery, onAnswer },
    ...numbersFrom(numbers, options),
  };
}

type Range = readonly [standard: number, min: number, max: number];

/** Fills in what was left out. @throws UsageReporterOptionsError */
export function numbersFrom<Ranges extends Readonly<Record<string, Range>>>(
  ranges: Ranges,
  given: { readonly [Name in keyof Ranges]?: number | undefined },
): { readonly [Name in keyof Ranges]: number } {
  const filled = Object.entries(ranges).map(([name, [standard, min, max]]) => {
    const value = given[name] ?? standard;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new UsageReporterOptionsError(name, `must be a whole number from ${min} to ${max}`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(filled) as { readonly [Name in keyof Ranges]: number };
}

function apiAddress(apiUrl: string, path: string, search = ""): URL {
  try {
    const url = new URL(apiUrl);
    if (url.protocol === "http:" || url.protocol === "https:") {
      url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/${path}`;
      url.search = search;
      return url;
    }
  } catch {
    // Said below, as for any other scheme.
  }
  throw new UsageReporterOptionsError("apiUrl", "must be an http or https address");
}
