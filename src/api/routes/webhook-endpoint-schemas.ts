import { z } from "zod";
import type { StoredEndpoint } from "../../db/notices/endpoints.ts";
import type { DeliveryOfNotice, StoredAttempt, StoredNotice } from "../../db/notices/notices.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { allNoticeKinds } from "../../domain/notices/index.ts";
import { instantText, isoOrNull } from "../wire.ts";

export const noticeKindSchema = z.enum(allNoticeKinds).meta({ id: "NoticeKind" });

export const endpointSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string().nullable(),
    kinds: z.array(noticeKindSchema).nullable().describe("What it gets; null: everything."),
    status: z.enum(["enabled", "disabled", "deleted"]),
    disabled_reason: z
      .enum(["requested", "failing", "gone"])
      .nullable()
      .describe("`failing`: all attempts of five days had failed. `gone`: it answered 410."),
    failing_since: instantText.nullable().describe("Since when no attempt has succeeded."),
    created_at: instantText,
  })
  .meta({ id: "WebhookEndpoint" });

export const deliverySchema = z
  .object({
    id: z.string(),
    notice_id: z.string().describe("Goes with every attempt as `webhook-id`."),
    kind: noticeKindSchema,
    webhook_endpoint: z.string().nullable().describe("Null: by e-mail."),
    status: z.enum(["waiting", "delivered", "given_up"]),
    attempts: z.int().describe("Attempts that were begun."),
    next_attempt_at: instantText.nullable(),
    created_at: instantText,
    finished_at: instantText.nullable(),
  })
  .meta({ id: "NoticeDelivery" });

export const attemptSchema = z
  .object({
    attempt: z.int(),
    outcome: z.enum(["delivered", "failed"]),
    attempted_at: instantText,
    latency_ms: z.int(),
    status: z.int().nullable().describe("Of HTTP, or of SMTP; null when there was no answer."),
    answer: z.string().nullable().describe("How the answer began, at most 1 KiB."),
    error: z.string().nullable(),
  })
  .meta({ id: "NoticeDeliveryAttempt" });

export const noticeSchema = z
  .object({
    id: z.string(),
    kind: noticeKindSchema,
    customer: z.string().nullable(),
    sequence: z.string().describe("Higher is later, among the notices of one customer."),
    occurred_at: instantText.describe("By the customer's clock."),
    data: z.record(z.string(), z.unknown()).nullable().describe("Null until it is composed, a moment later."),
    deliveries: z.array(deliverySchema),
  })
  .meta({ id: "Notice" });

export function endpointAnswer(row: StoredEndpoint): z.infer<typeof endpointSchema> {
  const { id, url, description, kinds, state, reason, failingSince, createdAt } = row;
  return {
    id,
    url,
    description,
    kinds,
    status: state,
    disabled_reason: reason,
    failing_since: isoOrNull(failingSince),
    created_at: isoOf(createdAt),
  };
}

export function deliveryAnswer(row: DeliveryOfNotice): z.infer<typeof deliverySchema> {
  const { id, noticeId, kind, endpointId, state, attempts, nextAttemptAt, createdAt, finishedAt } = row;
  return {
    id,
    notice_id: noticeId,
    kind,
    webhook_endpoint: endpointId,
    status: state,
    attempts,
    next_attempt_at: state === "waiting" ? isoOf(nextAttemptAt) : null,
    created_at: isoOf(createdAt),
    finished_at: isoOrNull(finishedAt),
  };
}

export function attemptAnswer(row: StoredAttempt): z.infer<typeof attemptSchema> {
  const { attempt, outcome, attemptedAt, latencyMs, status, answer, error } = row;
  return {
    attempt,
    outcome,
    attempted_at: isoOf(attemptedAt),
    latency_ms: latencyMs,
    status,
    answer,
    error,
  };
}

export function noticeAnswer(
  { id, kind, customerId, sequence, occurredAt, body }: StoredNotice,
  deliveries: readonly Omit<DeliveryOfNotice, "kind">[],
): z.infer<typeof noticeSchema> {
  return {
    id,
    kind,
    customer: customerId,
    sequence: sequence.toString(),
    occurred_at: isoOf(occurredAt),
    data: body === null ? null : JSON.parse(body).data,
    deliveries: deliveries.map((delivery) => deliveryAnswer({ ...delivery, kind })),
  };
}
