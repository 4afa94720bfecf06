import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ReckonerClient } from "../../sdk/index.ts";
import { askWith } from "../reads/read.ts";
import { currentKey } from "../session/session.ts";

/** Goes with a write: whoever sends the same key again gets the first answer, and nothing is done twice. */
export interface CommandHeader {
  readonly "Idempotency-Key": string;
}

export type Command<Answer> = UseMutationResult<Answer, Error, void>;

type Ask<Answer> = (reckoner: ReckonerClient, header: CommandHeader) => Promise<Answer>;

export interface CommandOptions<Answer> {
  /** Makes the request of what the form says now. It throws a `FieldFault` where the form cannot be sent. */
  readonly prepare: () => Ask<Answer>;
  /** Whose key asks; the session's, when left out. */
  readonly apiKey?: string | undefined;
  /** Says of a refusal which field of the form it is about, where only the form knows. */
  readonly explain?: (refusal: Error) => Error;
}

const asItIs = (refusal: Error): Error => refusal;

/** What every running command is known by. */
export const commandKey = ["command"] as const;

/**
 * Something to be done, under one idempotency key as long as the form is open: a second click, or a repetition after an answer
 * was lost, does nothing twice. A refusal frees the key. What is on the screen is read anew when it is done, because money shows
 * in many places.
 */
export function useCommand<Answer>({
  prepare,
  apiKey,
  explain = asItIs,
}: CommandOptions<Answer>): Command<Answer> {
  const queries = useQueryClient();
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  return useMutation<Answer, Error, void>({
    mutationKey: commandKey,
    mutationFn: async () => {
      const ask = prepare();
      const key = apiKey ?? currentKey() ?? "";
      const answer = askWith(key, (reckoner) => ask(reckoner, { "Idempotency-Key": idempotencyKey }));
      return await answer.catch((error: Error) => {
        throw explain(error);
      });
    },
    // Not waited for: what was done is done, whatever reading anew comes to.
    onSuccess: () => void queries.invalidateQueries(),
  });
}
