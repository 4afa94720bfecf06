import { type Instant, instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  type HoldDraft,
  type HoldSettlement,
  type JournalEntryDraft,
  type Posting,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { type Currency, ledgerAmount } from "../../src/domain/money/index.ts";
import { draft, move } from "./ledger-fixture.ts";
import type { LedgerModel, ModelEntry } from "./ledger-model.ts";
import {
  accountsOf,
  at,
  currencyAt,
  type EntryContent,
  type EntrySpec,
  type HoldSpec,
  instants,
  type ReversalKind,
  type SettlementSpec,
} from "./ledger-operations.ts";

const placedAt = instant("2026-01-15T00:00:00Z");

/** Holds of the model are placed at one instant and expire so many hours later. */
export const hoursAfter = (hours: number): Instant => instantOfEpochMs(placedAt + hours * 3_600_000);

/** Makes requests of what is asked for as data, and remembers them for those that refer to earlier ones. */
export class Requests {
  readonly #entries: JournalEntryDraft[] = [];
  readonly #holds: HoldDraft[] = [];
  readonly #model: LedgerModel;
  #keys = 0;

  /** @param model knows the entries in the ledger, with their ids, and the holds that were placed */
  constructor(model: LedgerModel) {
    this.#model = model;
  }

  /** Nothing for one that refers to an earlier one when there is none. */
  entries(specs: readonly EntrySpec[]): JournalEntryDraft[] {
    return specs.flatMap((spec) => {
      const made = this.#entry(spec);
      if (made !== undefined) this.#entries.push(made);
      return made ?? [];
    });
  }

  holds(specs: readonly HoldSpec[]): HoldDraft[] {
    return specs.flatMap((spec) => {
      const made = this.#hold(spec);
      if (made !== undefined) this.#holds.push(made);
      return made ?? [];
    });
  }

  settlements(specs: readonly SettlementSpec[]): HoldSettlement[] {
    return specs.flatMap(({ hold: index, costs }) => {
      const hold = this.#placed(index);
      const holdKey = this.holdKey(index);
      const entries =
        typeof costs === "bigint" ? [settlementOf(holdKey, hold, costs)] : this.entries([costs]);
      return entries.map((entry) => ({ holdKey, entry }));
    });
  }

  holdKey(index: number): string {
    return this.#placed(index)?.sourceKey ?? "hold/never-placed";
  }

  #entry(spec: EntrySpec): JournalEntryDraft | undefined {
    if (spec.is === "fresh") return fresh(this.#key("entry"), spec.content);
    if (spec.is === "reversal") {
      const undone = backwards(this.#model.entries, spec.of);
      return undone && reversal(this.#key("reversal"), undone, spec.how);
    }
    const earlier = backwards(this.#entries, spec.of);
    if (earlier === undefined) return undefined;
    switch (spec.is) {
      case "again":
        return earlier;
      case "renamed":
        return { ...earlier, sourceKey: this.#key("renamed") };
      case "altered":
        return { ...fresh(earlier.sourceKey, spec.content), cause: earlier.cause };
      case "same_key":
        return fresh(earlier.sourceKey, spec.content, this.#key("event"));
      case "same_event":
        return { ...fresh(this.#key("same-event"), spec.content), cause: earlier.cause, kind: earlier.kind };
    }
  }

  #hold(spec: HoldSpec): HoldDraft | undefined {
    if (spec.is === "fresh") return freshHold(this.#key("hold"), spec);
    const earlier = backwards(this.#holds, spec.of);
    if (earlier === undefined || spec.is === "again") return earlier;
    if (spec.is === "later") return { ...earlier, placedAt: hoursAfter(1), expiresAt: hoursAfter(9) };
    return { ...earlier, cause: { type: "request", id: "another" } };
  }

  #placed(index: number): HoldDraft | undefined {
    return index < 0 ? undefined : backwards([...this.#model.holds.values()], index)?.draft;
  }

  #key(of: string): string {
    this.#keys += 1;
    return `${of}/${this.#keys}`;
  }
}

const backwards = <T>(items: readonly T[], index: number): T | undefined =>
  items.length === 0 ? undefined : items.at(-1 - (index % items.length));

function fresh(sourceKey: string, content: EntryContent, event = sourceKey): JournalEntryDraft {
  const of = currencyAt(content.currency);
  const accounts = accountsOf(of);
  const postings = content.postings.map(({ from, steps, amount }) =>
    move(at(accounts, from), at(accounts, from + steps), amount),
  );
  return draft(sourceKey, withWrongAccount(postings, content), {
    currency: of,
    effectiveAt: at(instants, content.at),
    occurredAt: at(instants, content.at),
    cause: { type: "test", id: event },
    ...(content.whenClosed === undefined ? {} : { whenClosed: content.whenClosed }),
  });
}

function withWrongAccount(postings: readonly Posting[], { wrongAccount, currency }: EntryContent): Posting[] {
  const wrong = (account: AccountRef): AccountRef => ({
    ...account,
    currency:
      wrongAccount === "other_currency"
        ? currencyAt(currency + 1)
        : (account.currency.toUpperCase() as Currency),
  });
  return postings.map((posting, index) =>
    index === 0 && wrongAccount !== undefined ? { ...posting, debit: wrong(posting.debit) } : posting,
  );
}

function reversal(
  sourceKey: string,
  { id, draft: undone }: ModelEntry,
  how: ReversalKind,
): JournalEntryDraft {
  const { currency, occurredAt, effectiveAt } = undone;
  const mirrored = undone.postings.map(({ debit, credit, amount }) => move(credit, debit, amount));
  const [first] = mirrored;
  const postings = {
    mirrored,
    under_another_event: mirrored,
    of_nothing: mirrored,
    not_swapped: undone.postings,
    line_more: [...mirrored, ...(first === undefined ? [] : [first])],
    other_amount: mirrored.map((posting, index) =>
      index === 0
        ? { ...posting, amount: ledgerAmount(posting.amount === 1n ? 2n : posting.amount - 1n) }
        : posting,
    ),
  }[how];
  const cause =
    how === "under_another_event" ? { type: "test", id: sourceKey } : { type: "journal_entry", id: `${id}` };
  const reverses = how === "of_nothing" || id === undefined ? 10n ** 12n : id;
  return draft(sourceKey, postings, { currency, occurredAt, effectiveAt, kind: "reversal", cause, reverses });
}

function freshHold(
  sourceKey: string,
  { currency, lines, hours }: Extract<HoldSpec, { is: "fresh" }>,
): HoldDraft {
  const of = currencyAt(currency);
  return {
    sourceKey,
    customerId: "acme",
    currency: of,
    cause: { type: "request", id: sourceKey },
    placedAt,
    expiresAt: hoursAfter(hours),
    lines: lines.map(({ account, amount, more }) => ({
      account: at(accountsOf(of), account),
      amount: ledgerAmount(amount),
      ...(more === null ? {} : { atMost: ledgerAmount(amount + more) }),
    })),
  };
}

/** What was held in each line and so much more, or less. */
function settlementOf(holdKey: string, hold: HoldDraft | undefined, more: bigint): JournalEntryDraft {
  const of = hold?.currency ?? currencyAt(0);
  const lines = hold?.lines ?? [{ account: at(accountsOf(of), 0), amount: 1n }];
  const postings = lines.map(({ account, amount }) => {
    const cost = amount + more;
    return move(account, usageRevenue("tokens", of), cost > 0n ? cost : 1n);
  });
  return draft(`${holdKey}/settled`, postings, { currency: of });
}
