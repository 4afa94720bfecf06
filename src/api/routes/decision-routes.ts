import { z } from "zod";
import type { DecisionOutcome } from "../../db/ledger/adjustments.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { CommandContext } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { idParams, textInput } from "../wire.ts";

const note = textInput(500).describe("For the record.");

/** A kind of request that waits for a second person, and what the document says of deciding about one. */
export interface DecidedResource<Answer extends z.ZodType> {
  /** Such as `/v1/adjustments`. */
  readonly path: string;
  readonly tags: readonly string[];
  /** As its codes begin: `adjustment` for `adjustment_not_found`. */
  readonly resource: string;
  readonly approve: {
    readonly summary: string;
    readonly description: string;
    /** What approving may be refused with besides, since it does what was asked for. */
    readonly refusals?: readonly string[];
  };
  readonly reject: { readonly summary: string; readonly description: string };
  readonly withdraw: { readonly summary: string };
  readonly response: Answer;
  decide(
    decision: { readonly id: string; readonly outcome: DecisionOutcome; readonly note: string | null },
    context: CommandContext,
  ): Promise<void>;
  /** How it stands afterwards. */
  answer(id: string): Promise<z.output<Answer>>;
}

/** Approve, reject and withdraw. The first decision counts, for good. */
export function decisionRoutes<Answer extends z.ZodType>(
  api: ApiInstance,
  decided: DecidedResource<Answer>,
): void {
  const { path, resource, approve, reject, withdraw, response } = decided;
  const tags = [...decided.tags];
  const refusals = [`${resource}_not_found`, `${resource}_not_pending`];
  const byAnother = [...refusals, "approver_is_requester"];
  const offer = (
    action: string,
    outcome: DecisionOutcome,
    config: { readonly scope: "approve" | "write"; readonly refusals: readonly string[] },
    {
      body,
      ...texts
    }: {
      readonly summary: string;
      readonly description: string;
      readonly body: z.ZodType<{ note?: string | undefined }>;
    },
  ) => {
    api.post(
      `${path}/:id/${action}`,
      {
        config,
        schema: { tags, ...texts, params: idParams, body, response: { 200: response as z.ZodType } },
      },
      async (request) => {
        const { id } = request.params;
        const { note: said = null } = request.body;
        await decided.decide({ id, outcome, note: said }, contextOf(request));
        return await decided.answer(id);
      },
    );
  };
  const { refusals: more = [], ...approving } = approve;
  offer(
    "approve",
    "approved",
    { scope: "approve", refusals: [...byAnother, ...more] },
    {
      ...approving,
      body: z.strictObject({ note: note.optional() }),
    },
  );
  offer(
    "reject",
    "rejected",
    { scope: "approve", refusals: byAnother },
    {
      ...reject,
      body: z.strictObject({ note }),
    },
  );
  offer(
    "withdraw",
    "withdrawn",
    { scope: "write", refusals: [...refusals, "requester_only"] },
    {
      ...withdraw,
      description: "By the key that asked for it, as long as nobody has decided.",
      body: z.strictObject({ note: note.optional() }),
    },
  );
}
