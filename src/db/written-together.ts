import { isDatabaseAway } from "./lost-connection.ts";

interface Waiting<Asked, Answer> {
  readonly asked: Asked;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Enough that one statement costs little more than its rows. */
const atOnceMax = 100;

/**
 * What many want written, each with a commit of its own, is written by one statement: whoever comes while one is under way goes
 * along with the next. Nobody waits for others to come. When a statement fails, each of its askers is tried by itself, so that
 * nobody is refused for another's sake; unless the database is away, which all of them are told.
 * @param write one statement that commits; answers in the order of what is asked
 */
export function writtenTogether<Asked, Answer>(
  write: (asked: readonly Asked[]) => Promise<readonly Answer[]>,
): (asked: Asked) => Promise<Answer> {
  const waiting: Waiting<Asked, Answer>[] = [];
  let isWriting = false;

  async function settle(batch: readonly Waiting<Asked, Answer>[]): Promise<void> {
    try {
      const answers = await write(batch.map(({ asked }) => asked));
      for (const [place, { resolve }] of batch.entries()) resolve(answers[place] as Answer);
    } catch (error) {
      if (batch.length > 1 && !isDatabaseAway(error)) for (const each of batch) await settle([each]);
      else for (const { reject } of batch) reject(error);
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) await settle(waiting.splice(0, atOnceMax));
    isWriting = false;
  }

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject });
      if (isWriting) return;
      isWriting = true;
      // Whoever asks in the same turn of the event loop goes along.
      setImmediate(() => void writeAll());
    });
}
