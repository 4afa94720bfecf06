import type { SnapshotClaims } from "./claims.ts";
import { ask, type Following, follow } from "./connection.ts";
import { CutOff } from "./cut-off.ts";
import type { StreamEvent } from "./event-stream.ts";
import { type HeldSnapshot, SnapshotNotTakenError, take } from "./held-snapshot.ts";
import {
  byPolicy,
  decisionOf,
  featureUnknown,
  type LocalDecision,
  lastingVerdict,
  nothingKnown,
  quantityInvalid,
} from "./local-answers.ts";
import { decideLocally, type LocalQuestion } from "./local-decision.ts";
import { type LocalEntitlementsOptions, type Settings, settingsOf, tell } from "./options.ts";
import { isQuantity, scaled } from "./quantity.ts";
import { Settlement } from "./settlement.ts";
import { type SnapshotKey, TrustedKeys, verifySnapshot } from "./verification.ts";

/** What one customer may use, held here: read without asking anybody. */
export class LocalEntitlements {
  readonly #settings: Settings;
  readonly #keys: TrustedKeys;
  #held: HeldSnapshot | undefined;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #cutOff: CutOff | undefined;
  readonly #settlement: Settlement;
  #following: Following | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(options: LocalEntitlementsOptions) {
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#settlement = new Settlement(settings);
    const isAsked = options.keys === undefined;
    this.#keys = new TrustedKeys(options.keys ?? [], {
      read: isAsked ? () => this.#readKeys() : undefined,
      now: settings.now,
    });
    if (options.follow !== false) this.#following = this.#follow();
  }

  /**
   * Whether a feature may be used now: in microseconds, without asking anybody, and without throwing. Nothing is reserved. While cut
   * off, whatever is allowed is counted as used.
   */
  check(question: LocalQuestion): LocalDecision {
    const { quantity = "1" } = question;
    const nowMs = this.#settings.now();
    const held = this.#held;
    if (quantity !== "1" && !isQuantity(quantity)) return quantityInvalid;
    if (held !== undefined && this.#isCurrentAt(nowMs)) {
      const ready = held.features.get(question.feature);
      if (ready === undefined) return featureUnknown;
      const verdict = decideLocally(ready, question, scaled(quantity), held.stillAtMs ?? nowMs);
      return decisionOf(verdict, "current");
    }
    return this.#checkCutOff(question, scaled(quantity), nowMs);
  }

  /** Whether what is held is kept current: something was heard of a moment ago. */
  get isCurrent(): boolean {
    return this.#isCurrentAt(this.#settings.now());
  }

  /** What is held, to be given to another process or kept; undefined while nothing is. */
  get held(): Pick<HeldSnapshot, "content" | "digest" | "position" | "expiresAtMs"> | undefined {
    return this.#held;
  }

  /** Gives true once something is held that is current; false when that has not happened by the deadline (5 s). */
  async ready({ deadlineMs = 5_000 }: { readonly deadlineMs?: number } = {}): Promise<boolean> {
    if (this.isCurrent) return true;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, deadlineMs);
      this.#waiting.add(done);
    });
    return this.isCurrent;
  }

  /**
   * Takes a signed snapshot from wherever it was kept. It is as current as when it was signed.
   * @throws SnapshotNotVerifiedError; SnapshotNotTakenError when it is older than what is held, expired, or another customer's
   */
  async load(signed: string): Promise<void> {
    const claims = await verifySnapshot(signed, this.#keys);
    this.#take(claims);
    this.#heard(Math.min(claims.iat * 1_000, this.#settings.now()));
  }

  /** Asks for a snapshot once, where nothing can be followed; gives it as it was signed, to be kept. */
  async refresh(): Promise<string> {
    const { customer, address } = this.#settings;
    const answer = await ask(address, `/v1/customers/${encodeURIComponent(customer)}/entitlements/snapshot`);
    const { snapshot } = (await answer.json()) as { snapshot: string };
    await this.load(snapshot);
    return snapshot;
  }

  /** Sends the reports of cut-offs that are over; gives true when none is left. Where a process may end, let it wait for this. */
  settle(): Promise<boolean> {
    return this.#settlement.send();
  }

  /** Follows no longer. What is held stays, and is cut off soon. */
  async close(): Promise<void> {
    await this.#following?.close();
    await this.settle();
  }

  #isCurrentAt(nowMs: number): boolean {
    const { silenceMsMax, toleranceMs } = this.#settings;
    const held = this.#held;
    return (
      held !== undefined && nowMs - this.#heardAtMs <= silenceMsMax && nowMs < held.expiresAtMs + toleranceMs
    );
  }

  #checkCutOff(question: LocalQuestion, asked: bigint, nowMs: number): LocalDecision {
    const { feature } = question;
    const held = this.#held;
    this.#cutOff ??= new CutOff(nowMs, held?.position ?? null);
    const cutOff = this.#cutOff;
    if (held === undefined) {
      const allowed = cutOff.decide(feature, "unknown", asked, this.#settings.whenNothingKnown ? null : -1n);
      return { ...nothingKnown, allowed, cutOff: allowed ? cutOff.id : null };
    }
    const ready = held.features.get(feature);
    if (ready === undefined) return { ...featureUnknown, basis: "cut_off" };
    const verdict = lastingVerdict(ready, question, asked, held.stillAtMs ?? nowMs);
    if (!verdict.allowed) return decisionOf(verdict, "cut_off");
    const { use } = ready.policy;
    const max = use === "allowed" ? null : use === "denied" ? -1n : ready.cutOffMax;
    const allowed = cutOff.decide(feature, use, asked, max);
    const reason = use === "allowed_up_to" && !allowed ? "cut_off_amount_reached" : "cut_off";
    return { ...byPolicy, reason, allowed, cutOff: allowed ? cutOff.id : null };
  }

  #follow(): Following {
    const { customer, address, silenceMsMax, backoffMs, onProblem } = this.#settings;
    return follow({
      address,
      path: `/v1/customers/${encodeURIComponent(customer)}/entitlements/stream`,
      lastEventId: () => this.#held?.digest,
      onEvent: (event) => this.#onEvent(event),
      onFailure: (error) => tell(onProblem, error),
      silenceMsMax,
      backoffMs,
    });
  }

  async #onEvent({ type, text }: StreamEvent): Promise<void> {
    if (type === "snapshot" || type === "renewal") this.#take(await verifySnapshot(text, this.#keys));
    this.#heard(this.#settings.now());
  }

  /** @throws SnapshotNotTakenError */
  #take(claims: SnapshotClaims): void {
    const { customer, toleranceMs, onChange } = this.#settings;
    const taken = take(this.#held, claims, { customer, nowMs: this.#settings.now(), toleranceMs });
    if ("notTaken" in taken) throw new SnapshotNotTakenError(taken.notTaken, taken.message);
    const isNew = taken.held.digest !== this.#held?.digest;
    this.#held = taken.held;
    if (isNew) tell(onChange, taken.held.content);
  }

  #heard(atMs: number): void {
    this.#heardAtMs = Math.max(this.#heardAtMs, atMs);
    if (!this.isCurrent) return;
    for (const done of this.#waiting) done();
    if (this.#cutOff !== undefined) this.#settlement.add(this.#cutOff, this.#settings.now());
    this.#cutOff = undefined;
    void this.#settlement.send();
  }

  async #readKeys(): Promise<readonly SnapshotKey[]> {
    const answer = await ask(this.#settings.address, "/v1/entitlements/keys");
    return ((await answer.json()) as { keys: SnapshotKey[] }).keys;
  }
}
