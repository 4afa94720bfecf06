import type { z } from "zod";
import { accessOfDunning } from "../../db/billing/access.ts";
import {
  dunningCommandsOf,
  dunningNoticesOf,
  type StoredDunningCommand,
} from "../../db/billing/dunning-records.ts";
import { attemptsOf, type StoredDunning } from "../../db/billing/payments.ts";
import type { Tx } from "../../db/database.ts";
import type { DunningState } from "../../db/schema/dunning.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { accessAnswer } from "../access-answer.ts";
import { isoOrNull } from "../wire.ts";
import { type dunningCommandSchema, type dunningDetailSchema, dunningReason } from "./dunning-schemas.ts";
import { attemptAnswer } from "./invoices.ts";

/** A dunning with its attempts, what operators decided, and what happens next at `now`, the customer's time. */
export async function dunningDetail(
  tx: Tx,
  dunning: StoredDunning,
  now: Instant,
): Promise<z.infer<typeof dunningDetailSchema>> {
  const { invoiceId, state, startedAt, endedAt, policy, policyKey } = dunning;
  const attempts = await attemptsOf(tx, invoiceId);
  const commands = await dunningCommandsOf(tx, invoiceId);
  const notices = await dunningNoticesOf(tx, invoiceId);
  return {
    invoice: invoiceId,
    state,
    started_at: isoOf(startedAt),
    ended_at: isoOrNull(endedAt),
    policy: policyKey,
    final_action: policy?.finalAction ?? "uncollectible",
    next: nextOf(dunning),
    access: accessAnswer(await accessOfDunning(tx, dunning, now)),
    attempts: attempts.map(attemptAnswer),
    commands: commands.map(commandAnswer),
    notices: notices.map(({ saidAt, moment, notice }) => ({ at: isoOf(saidAt), moment, notice })),
  };
}

const actionIn: Partial<Record<DunningState, "attempt" | "give_up" | "count_as_failed" | "none">> = {
  retrying: "attempt",
  awaiting_payment_method: "give_up",
  awaiting_action: "count_as_failed",
  disputed: "none",
};

function nextOf({ state, nextAt, why }: StoredDunning): z.infer<typeof dunningDetailSchema>["next"] {
  const action = actionIn[state];
  if (action === undefined || why === null) return null;
  return { action, at: isoOrNull(nextAt), why: dunningReason.parse(why) };
}

export function commandAnswer(command: StoredDunningCommand): z.infer<typeof dunningCommandSchema> {
  return {
    command: command.command,
    until: isoOrNull(command.until),
    reason: command.reason,
    commanded_by: command.commandedBy,
    commanded_at: isoOf(command.commandedAt),
  };
}
