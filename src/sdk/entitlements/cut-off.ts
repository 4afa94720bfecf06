import type { CutOffPolicy } from "./claims.ts";
import { unscaled } from "./quantity.ts";

/** What was done with one feature while nothing could be heard, as `POST /v1/customers/{id}/edge-cut-offs` takes it. */
export interface CutOffFeature {
  readonly feature: string;
  readonly policy: CutOffPolicy["use"] | "unknown";
  /** How many requests were let through, and how much they asked for, in the meter's unit. */
  readonly allowed: number;
  readonly quantity: string;
  readonly denied: number;
}

export interface CutOffReport {
  readonly id: string;
  readonly began_at: string;
  readonly ended_at: string;
  /** Of the snapshot that was held; null where there was none. */
  readonly position: string | null;
  readonly features: readonly CutOffFeature[];
}

interface Counted {
  policy: CutOffFeature["policy"];
  allowed: number;
  quantity: bigint;
  denied: number;
}

/** One time during which nothing was heard, and what was let through meanwhile. */
export class CutOff {
  readonly id: string;
  readonly #beganAt: number;
  readonly #position: string | null;
  readonly #features = new Map<string, Counted>();

  constructor(beganAt: number, position: string | null) {
    this.id = crypto.randomUUID();
    this.#beganAt = beganAt;
    this.#position = position;
  }

  get isEmpty(): boolean {
    return this.#features.size === 0;
  }

  /** Whether so much more may be let through; it is counted as decided. @param max null without a bound */
  decide(feature: string, policy: CutOffFeature["policy"], asked: bigint, max: bigint | null): boolean {
    const counted = this.#features.get(feature) ?? { policy, allowed: 0, quantity: 0n, denied: 0 };
    this.#features.set(feature, counted);
    counted.policy = policy;
    const isAllowed = max === null || counted.quantity + asked <= max;
    if (isAllowed) {
      counted.allowed += 1;
      counted.quantity += asked;
    } else counted.denied += 1;
    return isAllowed;
  }

  report(endedAt: number): CutOffReport {
    return {
      id: this.id,
      began_at: new Date(this.#beganAt).toISOString(),
      ended_at: new Date(endedAt).toISOString(),
      position: this.#position,
      features: [...this.#features].map(([feature, counted]) => {
        return { feature, ...counted, quantity: unscaled(counted.quantity) };
      }),
    };
  }
}
