import { useMutation } from "@tanstack/react-query";
import type { ReckonerClient } from "../../sdk/index.ts";
import { askWith } from "../reads/read.ts";
import { currentKey } from "../session/session.ts";
import type { Command } from "./use-command.ts";

/** What a form asks and nothing is done by, such as a preview: each time it is asked anew. */
export const useQuestion = <Answer>(ask: (reckoner: ReckonerClient) => Promise<Answer>): Command<Answer> =>
  useMutation<Answer, Error, void>({ mutationFn: () => askWith(currentKey() ?? "", ask) });
