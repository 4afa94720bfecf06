import { Account, accountIdOf, type Commit } from "./account.ts";
import { type Journal, noJournal, openJournal } from "./journal.ts";
import type { Delivery } from "./own-objects.ts";
import { Transaction } from "./transaction.ts";

/** All accounts of this process and the journal behind them. */
export class Accounts {
  readonly #byId = new Map<string, Account>();
  readonly #journal: Journal;
  #onDelivery: (account: Account, delivery: Delivery) => void = () => {};

  constructor(journalPath?: string) {
    this.#journal =
      journalPath === undefined ? noJournal : openJournal(journalPath, (commit) => this.#apply(commit));
  }

  /** Called with each delivery that is committed as pending: the webhook outbox listens here. */
  onPendingDelivery(listener: (account: Account, delivery: Delivery) => void): void {
    this.#onDelivery = listener;
  }

  ofKey(apiKey: string): Account {
    return this.ofId(accountIdOf(apiKey));
  }

  ofId(id: string): Account {
    const known = this.#byId.get(id) ?? new Account(id);
    this.#byId.set(id, known);
    return known;
  }

  all(): readonly Account[] {
    return [...this.#byId.values()];
  }

  /** Runs `work` and commits what it changed. What throws changes nothing. */
  transact<Result>(account: Account, work: (tx: Transaction) => Result): Result {
    const tx = new Transaction(account);
    const result = work(tx);
    this.#commit(tx.commit());
    return result;
  }

  reset(account: Account): void {
    this.#commit({ account: account.id, sequence: account.sequence, puts: [], removes: [], reset: true });
  }

  close(): void {
    this.#journal.close();
  }

  #commit(commit: Commit | undefined): void {
    if (commit === undefined) return;
    this.#journal.append(commit);
    const account = this.#apply(commit);
    for (const row of commit.puts) {
      if (row.object === "delivery" && row.state === "pending") this.#onDelivery(account, row);
    }
  }

  #apply(commit: Commit): Account {
    const account = this.ofId(commit.account);
    account.apply(commit);
    return account;
  }
}
