import type { SnapshotContent } from "./claims.ts";
import type { ApiAddress } from "./connection.ts";
import type { SnapshotKey } from "./verification.ts";

/** What went wrong while following: nothing of it is thrown, and all of it is tried again. Errors have a `code` or a `status`. */
type EdgeProblem = unknown;

export interface LocalEntitlementsOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly customer: string;
  /** The public keys that are trusted, and no others; when left out they are asked for, over the same connection as snapshots. */
  readonly keys?: readonly SnapshotKey[] | undefined;
  /** False where nothing can be followed between requests: `refresh` or `load` then bring snapshots. */
  readonly follow?: boolean | undefined;
  /** After so long without a word, what is held is not current any more: the policies for a cut-off hold (5 s). */
  readonly silenceMsMax?: number | undefined;
  /** Whether anything is allowed while cut off before the first snapshot; nothing, when left out. */
  readonly whenNothingKnown?: "allowed" | "denied" | undefined;
  /** How far this machine's clock may be from Reckoner's (5 s). */
  readonly clockToleranceMs?: number | undefined;
  /** The first pause before it connects again, and the longest (250 ms, 10 s). */
  readonly backoffFirstMs?: number | undefined;
  readonly backoffMaxMs?: number | undefined;
  readonly onChange?: ((content: SnapshotContent) => void) | undefined;
  readonly onProblem?: ((problem: EdgeProblem) => void) | undefined;
  /** The runtime's own when left out. */
  readonly fetch?: typeof fetch | undefined;
  /** Our clock, in epoch milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Settings {
  readonly address: ApiAddress;
  readonly customer: string;
  readonly silenceMsMax: number;
  readonly whenNothingKnown: boolean;
  readonly toleranceMs: number;
  readonly backoffMs: { readonly first: number; readonly max: number };
  readonly onChange: LocalEntitlementsOptions["onChange"];
  readonly onProblem: LocalEntitlementsOptions["onProblem"];
  readonly now: () => number;
}

export function settingsOf(options: LocalEntitlementsOptions): Settings {
  const { baseUrl, apiKey, customer, fetch: given, now = () => Date.now() } = options;
  return {
    // Called on its own: some runtimes refuse their fetch as a method of something else.
    address: { baseUrl: baseUrl.replace(/\/+$/, ""), apiKey, fetch: given ?? ((...args) => fetch(...args)) },
    customer,
    silenceMsMax: options.silenceMsMax ?? 5_000,
    whenNothingKnown: options.whenNothingKnown === "allowed",
    toleranceMs: options.clockToleranceMs ?? 5_000,
    backoffMs: { first: options.backoffFirstMs ?? 250, max: options.backoffMaxMs ?? 10_000 },
    onChange: options.onChange,
    onProblem: options.onProblem,
    now,
  };
}

/** What a listener throws is its own affair. */
export function tell<Said>(listener: ((said: Said) => void) | undefined, said: Said): void {
  try {
    listener?.(said);
  } catch {
    // Nobody is there to be told.
  }
}
