import type { Tx } from "./database.ts";

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked of one transaction by several at once is asked by one statement: as soon as all of them wait for something. Each
 * statement costs more than the rows that it reads or writes.
 * @param ask answers in the order of what is asked
 */
export function askedTogether<Asked, Answer>(
  ask: (tx: Tx, asked: readonly Asked[]) => Promise<readonly Answer[]>,
): (tx: Tx, asked: Asked) => Promise<Answer> {
  const waitingOf = new WeakMap<Tx, Waiting<Asked, Answer>[]>();
  const answer = async (tx: Tx, waiting: readonly Waiting<Asked, Answer>[]) => {
    try {
      const answers = await ask(
        tx,
        waiting.map(({ asked }) => asked),
      );
      for (const [place, { resolve }] of waiting.entries()) resolve(answers[place] as Answer);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  };
  return (tx, asked) =>
    new Promise((resolve, reject) => {
      const waiting = waitingOf.get(tx);
      if (waiting !== undefined) {
        waiting.push({ asked, resolve, reject });
        return;
      }
      const begun = [{ asked, resolve, reject }];
      waitingOf.set(tx, begun);
      setImmediate(() => {
        waitingOf.delete(tx);
        void answer(tx, begun);
      });
    });
}
