import type { ChangedCustomers } from "../../db/entitlements/change-tail.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { FollowedChanges } from "./followed-changes.ts";

interface Remembered {
  readonly customerId: string;
  readonly text: string;
  readonly until: Instant;
  /** How long ago it may have been that all was seen that was committed. */
  readonly ageMsMax: number;
}

/** An answer that is being found: it is remembered only if nothing has changed meanwhile. */
export interface Asking {
  readonly turn: number;
}

/** For how many looks it is known who changed: an answer that took longer to find is not remembered. */
const turnsKnown = 600;

/**
 * Answers by the text of their questions, kept current by following what is committed. An answer is forgotten as soon as anything is
 * seen that was committed about its customer, and none is given while that cannot be seen.
 */
export class RememberedAnswers {
  readonly #changes: FollowedChanges;
  readonly #answersMax: number;
  readonly #byQuestion = new Map<string, Remembered>();
  readonly #questionsOf = new Map<string, Set<string>>();
  readonly #changedIn = new Map<string, number>();
  #allChangedIn = 0;

  constructor(changes: FollowedChanges, answersMax = 200_000) {
    this.#answersMax = answersMax;
    this.#changes = changes;
    changes.listen((changed, turn) => this.#forget(changed, turn));
  }

  /** @param wall the time of customers without a test clock: no other is remembered */
  find(question: string, wall: Instant): string | undefined {
    const known = this.#byQuestion.get(question);
    return known !== undefined && wall < known.until && this.#changes.isCurrent(known.ageMsMax)
      ? known.text
      : undefined;
  }

  /** To be called before anything is read for an answer. */
  ask(): Asking {
    return { turn: this.#changes.turn };
  }

  keep({ turn }: Asking, question: string, answer: Remembered): void {
    const { customerId } = answer;
    const hasChanged = Math.max(this.#changedIn.get(customerId) ?? 0, this.#allChangedIn) > turn;
    if (turn === 0 || hasChanged || this.#changes.turn - turn > turnsKnown) return;
    this.#byQuestion.set(question, answer);
    const questions = this.#questionsOf.get(customerId) ?? new Set();
    questions.add(question);
    this.#questionsOf.set(customerId, questions);
    const [oldest] = this.#byQuestion;
    if (this.#byQuestion.size > this.#answersMax && oldest !== undefined)
      this.#remove(oldest[1].customerId, oldest[0]);
  }

  #remove(customerId: string, question: string): void {
    this.#byQuestion.delete(question);
    const questions = this.#questionsOf.get(customerId);
    questions?.delete(question);
    if (questions?.size === 0) this.#questionsOf.delete(customerId);
  }

  #forget(changed: ChangedCustomers, turn: number): void {
    if (changed === "all") {
      this.#allChangedIn = turn;
      this.#byQuestion.clear();
      this.#questionsOf.clear();
      return;
    }
    for (const customerId of changed) {
      this.#changedIn.delete(customerId);
      this.#changedIn.set(customerId, turn);
      for (const question of this.#questionsOf.get(customerId) ?? []) this.#byQuestion.delete(question);
      this.#questionsOf.delete(customerId);
    }
    for (const [customerId, changedIn] of this.#changedIn) {
      if (turn - changedIn <= turnsKnown) break;
      this.#changedIn.delete(customerId);
    }
  }
}
