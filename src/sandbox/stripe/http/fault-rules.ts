/** What a fault does to an API request. `before` and `after` mean: the commit. */
export const apiFaultActions = [
  "conflict",
  "delay_before",
  "error_after_stored",
  "error_before",
  "hang_after",
  "hang_before",
  "html_502",
  "lock_timeout",
  "rate_limit",
  "reset_after",
  "reset_before",
  "truncate",
] as const;
export type ApiFaultAction = (typeof apiFaultActions)[number];

/** What a fault does to a webhook delivery. */
export const webhookFaultActions = ["bad_signature", "delay", "drop", "duplicate", "reorder"] as const;
export type WebhookFaultAction = (typeof webhookFaultActions)[number];

export type FaultAction = ApiFaultAction | WebhookFaultAction;

/** When to do what. Without `nth` and `probability` a rule fires on the next match. */
export type FaultRule = {
  readonly action: FaultAction;
  /** `POST`; any when absent. Webhook faults ignore it. */
  readonly method?: string | undefined;
  /** `/v1/invoices/in_1/pay`, with `*` for any part, for a request, `invoice.*` for the type of a delivered event; any when absent. */
  readonly match?: string | undefined;
  /** Fires on the nth match from now on, counted from 1. */
  readonly nth?: number | undefined;
  /** Fires on each match with this chance, from a generator that `seed` starts. */
  readonly probability?: number | undefined;
  readonly seed?: number | undefined;
  /** How often it may fire: 1 unless a probability is given. */
  readonly times?: number | undefined;
  /** For delays, in milliseconds. */
  readonly milliseconds?: number | undefined;
  /** Sent as `Stripe-Should-Retry` when given. */
  readonly shouldRetry?: boolean | undefined;
};

export type FiredFault = {
  readonly action: FaultAction;
  readonly milliseconds: number;
  readonly shouldRetry?: boolean | undefined;
};

/** A rule as the control API shows it. A test that armed a fault can check that it fired. */
export type ArmedRule = {
  readonly id: number;
  readonly rule: FaultRule;
  readonly matched: number;
  readonly firedFor: readonly string[];
};

type Armed = {
  readonly id: number;
  readonly rule: FaultRule;
  matched: number;
  readonly firedFor: string[];
  readonly random: () => number;
};

const delayDefaultMs = 200;

/** The armed faults of one account. They live in memory: a restart of the stand-in disarms them. */
export class FaultRules {
  #armed: Armed[] = [];
  #nextId = 1;

  arm(rule: FaultRule): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#armed.push({ id, rule, matched: 0, firedFor: [], random: generator(rule.seed ?? id) });
    return id;
  }

  disarmAll(): void {
    this.#armed = [];
  }

  list(): ArmedRule[] {
    return this.#armed.map(({ id, rule, matched, firedFor }) => ({
      id,
      rule,
      matched,
      firedFor: [...firedFor],
    }));
  }

  /** The first rule that fires for this request or delivery. `subject` is its id, for the record. */
  fire(
    actions: readonly FaultAction[],
    target: { method?: string; name: string },
    subject: string,
  ): FiredFault | undefined {
    for (const armed of this.#armed) {
      const { rule } = armed;
      const concerns = actions.includes(rule.action) && matchesTarget(rule, target);
      if (!concerns || armed.firedFor.length >= timesOf(rule)) continue;
      armed.matched += 1;
      if (!isDue(armed)) continue;
      armed.firedFor.push(subject);
      return {
        action: rule.action,
        milliseconds: rule.milliseconds ?? delayDefaultMs,
        shouldRetry: rule.shouldRetry,
      };
    }
    return undefined;
  }
}

function timesOf(rule: FaultRule): number {
  return rule.times ?? (rule.probability === undefined ? 1 : Number.POSITIVE_INFINITY);
}

function isDue({ rule, matched, random }: Armed): boolean {
  if (rule.probability !== undefined) return random() < rule.probability;
  return matched >= (rule.nth ?? 1);
}

function matchesTarget(rule: FaultRule, target: { method?: string; name: string }): boolean {
  if (rule.method !== undefined && target.method !== undefined && rule.method !== target.method) return false;
  return rule.match === undefined || globPattern(rule.match).test(target.name);
}

/** `*` stands for anything but a slash. */
function globPattern(glob: string): RegExp {
  const literal = glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  return new RegExp(`^${literal}$`);
}

/** Mulberry32: the same seed gives the same faults. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
