import type { HoldStatus, ReleaseStatus, SettlementStatus } from "../../src/db/ledger/holds.ts";
import type { PostingStatus } from "../../src/db/ledger/ledger.ts";
import { type Instant, instant } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  accountKey,
  chartAccount,
  type HoldDraft,
  type HoldSettlement,
  type JournalEntryDraft,
  normalSideOf,
} from "../../src/domain/ledger/index.ts";
import {
  accountsOf,
  eventOf,
  isInChart,
  outflow,
  postingsText,
  sameContent,
  sameHold,
} from "./ledger-model-content.ts";

/** The ledger in memory, in the plainest way there is: what the database must do, one request after the other. */

export interface ModelEntry {
  readonly draft: JournalEntryDraft;
  readonly effectiveAt: Instant;
  /** Given by the database, and told by whoever compares. */
  id?: bigint;
}

export interface ModelLine {
  readonly entry: ModelEntry;
  readonly line: number;
  readonly delta: bigint;
  readonly balanceAfter: bigint;
}

export interface ModelAccount {
  readonly ref: AccountRef;
  readonly debit: bigint;
  readonly credit: bigint;
  /** A line for each posting, also where the database keeps none. */
  readonly lines: readonly ModelLine[];
}

export interface ModelHold {
  readonly draft: HoldDraft;
  readonly resolution: {
    readonly outcome: "settled" | "released" | "expired";
    readonly entryKey?: string;
  } | null;
}

export interface Outcome<Status> {
  readonly status: Status;
  /** The entry that was created, or was there before. */
  readonly entry?: ModelEntry;
}

/** A request that has no outcome but an error, and does nothing, whatever else was asked for with it. */
export class RequestUnsoundError extends Error {}

interface State {
  readonly entries: ModelEntry[];
  readonly accounts: Map<string, ModelAccount>;
  readonly holds: Map<string, ModelHold>;
  /** Those that were closed by name: each closes all before it too. */
  readonly closedMonths: string[];
  readonly carriedMonths: string[];
}

export class LedgerModel {
  #state: State = { entries: [], accounts: new Map(), holds: new Map(), closedMonths: [], carriedMonths: [] };

  get entries(): readonly ModelEntry[] {
    return this.#state.entries;
  }

  get accounts(): ReadonlyMap<string, ModelAccount> {
    return this.#state.accounts;
  }

  get holds(): ReadonlyMap<string, ModelHold> {
    return this.#state.holds;
  }

  /** @throws RequestUnsoundError */
  post(drafts: readonly JournalEntryDraft[]): Outcome<PostingStatus>[] {
    return this.#allOrNothing(() => drafts.map((draft) => this.#post(draft)));
  }

  place(drafts: readonly HoldDraft[]): HoldStatus[] {
    return drafts.map((draft) => this.#place(draft));
  }

  /** @throws RequestUnsoundError */
  settle(settlements: readonly HoldSettlement[]): Outcome<SettlementStatus>[] {
    return this.#allOrNothing(() => settlements.map((settlement) => this.#settle(settlement)));
  }

  release(key: string): ReleaseStatus {
    const hold = this.#state.holds.get(key);
    if (hold === undefined) return "hold_missing";
    if (hold.resolution !== null) return hold.resolution.outcome === "released" ? "exists" : "hold_resolved";
    this.#state.holds.set(key, { ...hold, resolution: { outcome: "released" } });
    return "released";
  }

  /** How many have expired by then. */
  expire(at: Instant): number {
    const due = [...this.#state.holds].filter(
      ([, { draft, resolution }]) => resolution === null && draft.expiresAt <= at,
    );
    for (const [key, hold] of due)
      this.#state.holds.set(key, { ...hold, resolution: { outcome: "expired" } });
    return due.length;
  }

  close(month: string): boolean {
    if (this.#state.closedMonths.some((closed) => closed >= month)) return false;
    this.#state.closedMonths.push(month);
    return true;
  }

  carry(): string | null {
    const { closedMonths, carriedMonths } = this.#state;
    const next = closedMonths.find((month) => !carriedMonths.includes(month)) ?? null;
    if (next !== null) carriedMonths.push(next);
    return next;
  }

  balance(account: AccountRef): bigint {
    return this.#state.accounts.get(accountKey(account))?.lines.at(-1)?.balanceAfter ?? 0n;
  }

  held(account: AccountRef): bigint {
    const key = accountKey(account);
    return [...this.#state.holds.values()]
      .filter(({ resolution }) => resolution === null)
      .flatMap(({ draft }) => draft.lines)
      .filter((line) => accountKey(line.account) === key)
      .reduce((sum, { amount }) => sum + amount, 0n);
  }

  #openSince(): Instant | null {
    const last = this.#state.closedMonths.at(-1);
    if (last === undefined) return null;
    const [year = 0, month = 0] = last.split("-").map(Number);
    return instant(new Date(Date.UTC(year, month, 1)).toISOString());
  }

  #post(draft: JournalEntryDraft): Outcome<PostingStatus> {
    const recorded = this.#recorded(draft);
    if (recorded !== undefined)
      return { status: sameContent(recorded.draft, draft) ? "exists" : "exists_different", entry: recorded };
    const openSince = this.#openSince();
    const isLate = openSince !== null && draft.effectiveAt < openSince;
    if (isLate && draft.whenClosed === "refuse") return { status: "period_closed" };
    if (accountsOf(draft).some((account) => !isInChart(account, draft))) return { status: "account_missing" };
    for (const account of accountsOf(draft)) {
      const taken = outflow(draft, account);
      const available = this.balance(account) - this.held(account);
      if (chartAccount(account.code).bounded && taken > 0n && taken > available)
        return { status: "insufficient" };
    }
    this.#requireMirrored(draft);
    return {
      status: "created",
      entry: this.#record({ draft, effectiveAt: isLate ? openSince : draft.effectiveAt }),
    };
  }

  /** What has claimed the draft's key, its event, or the reversal of what it reverses: the first of these. */
  #recorded(draft: JournalEntryDraft): ModelEntry | undefined {
    const { entries } = this.#state;
    return (
      entries.find((entry) => entry.draft.sourceKey === draft.sourceKey) ??
      entries.find((entry) => eventOf(entry.draft) === eventOf(draft)) ??
      entries.find(({ draft: { reverses } }) => reverses !== undefined && reverses === draft.reverses)
    );
  }

  #requireMirrored(draft: JournalEntryDraft): void {
    if (draft.reverses === undefined) return;
    const undone = this.#state.entries.find(({ id }) => id === draft.reverses);
    const mirrored = draft.postings.map(({ debit, credit, amount }) => ({
      debit: credit,
      credit: debit,
      amount,
    }));
    if (
      undone === undefined ||
      undone.draft.reverses !== undefined ||
      postingsText(mirrored) !== postingsText(undone.draft.postings)
    ) {
      throw new RequestUnsoundError(
        "a reversal swaps the sides of every posting of an entry that is no reversal itself",
      );
    }
  }

  #record(entry: ModelEntry): ModelEntry {
    this.#state.entries.push(entry);
    for (const [index, { debit, credit, amount }] of entry.draft.postings.entries()) {
      this.#move(entry, index + 1, debit, amount, 0n);
      this.#move(entry, index + 1, credit, 0n, amount);
    }
    return entry;
  }

  #move(entry: ModelEntry, line: number, ref: AccountRef, debit: bigint, credit: bigint): void {
    const before = this.#state.accounts.get(accountKey(ref)) ?? { debit: 0n, credit: 0n, lines: [] };
    const delta = normalSideOf(chartAccount(ref.code).class) === "debit" ? debit - credit : credit - debit;
    const balanceAfter = this.balance(ref) + delta;
    this.#state.accounts.set(accountKey(ref), {
      ref,
      debit: before.debit + debit,
      credit: before.credit + credit,
      lines: [...before.lines, { entry, line, delta, balanceAfter }],
    });
  }

  #place(draft: HoldDraft): HoldStatus {
    const { accounts, holds } = this.#state;
    const placed = holds.get(draft.sourceKey);
    if (placed !== undefined) return sameHold(placed.draft, draft) ? "exists" : "exists_different";
    const isShort = draft.lines.some(
      ({ account, amount }) =>
        !accounts.has(accountKey(account)) || amount > this.balance(account) - this.held(account),
    );
    if (isShort) return "insufficient";
    holds.set(draft.sourceKey, { draft, resolution: null });
    return "created";
  }

  #settle({ holdKey, entry }: HoldSettlement): Outcome<SettlementStatus> {
    const { holds } = this.#state;
    const hold = holds.get(holdKey);
    if (hold === undefined) return { status: "hold_missing" };
    if (hold.resolution?.entryKey === entry.sourceKey) return this.#post(entry);
    if (hold.resolution !== null) return { status: "hold_resolved" };
    if (
      hold.draft.lines.some(({ account, atMost }) => atMost !== undefined && outflow(entry, account) > atMost)
    ) {
      return { status: "over_limit" };
    }
    holds.set(holdKey, { ...hold, resolution: { outcome: "settled", entryKey: entry.sourceKey } });
    const posted = this.#post(entry);
    if (posted.status === "created") return posted;
    // An entry that was there before has not settled this hold.
    holds.set(holdKey, hold);
    return { status: posted.status === "exists" ? "exists_different" : posted.status };
  }

  #allOrNothing<Result>(work: () => Result): Result {
    const { entries, accounts, holds, closedMonths, carriedMonths } = this.#state;
    const before = {
      entries: [...entries],
      accounts: new Map(accounts),
      holds: new Map(holds),
      closedMonths,
      carriedMonths,
    };
    try {
      return work();
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }
}
