import { Webhook } from "standardwebhooks";
import { findCustomer } from "../db/billing/customers.ts";
import { currentSeller } from "../db/billing/seller.ts";
import type { Database } from "../db/database.ts";
import type { AttemptOutcome, ClaimedDelivery } from "../db/notices/deliveries.ts";
import { type SealingKeys, secretsOf } from "../db/notices/endpoint-secrets.ts";
import { findEndpoint } from "../db/notices/endpoints.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type ComposedNotice, mailOf, requireEndpointUrl } from "../domain/notices/index.ts";
import { type PostOptions, postJson } from "./notice-http.ts";
import type { MailSender } from "./notice-mail.ts";

/** What an attempt needs. */
export interface AttemptParts {
  readonly db: Database;
  /** The wall clock: receivers compare it with theirs. */
  readonly now: () => Instant;
  readonly sealingKeys: SealingKeys;
  readonly post: PostOptions;
  /** Null: no mail is sent from here. */
  readonly mail: MailSender | null;
  /** Who is written to about this deployment; null: nobody. */
  readonly operatorEmail: string | null;
}

export interface Attempted extends AttemptOutcome {
  /** What the receiver asked to be left alone for. */
  readonly retryAfterMs: number;
  /** It wants no more notices. */
  readonly isGone: boolean;
}

type Answered = Pick<Attempted, "status" | "answer" | "error"> &
  Partial<Pick<Attempted, "retryAfterMs" | "isGone">>;

/** Makes one attempt; whatever goes wrong is how it ended. */
export async function attemptDelivery(parts: AttemptParts, claimed: ClaimedDelivery): Promise<Attempted> {
  const attemptedAt = parts.now();
  const begun = performance.now();
  const send = claimed.endpoint_id === null ? mailTo : postTo;
  const answered = await send(parts, claimed, claimed.endpoint_id ?? "").catch(failureOf);
  const latencyMs = Math.round(performance.now() - begun);
  return { attemptedAt, latencyMs, retryAfterMs: 0, isGone: false, ...answered };
}

function failureOf(error: unknown): Answered {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "responseCode" in error ? Number(error.responseCode) : null;
  return { status: code, answer: null, error: message.replaceAll("\0", "").slice(0, 500) };
}

/** A webhook as Standard Webhooks has it: signed with every secret in force. */
async function postTo(
  { db, now, sealingKeys, post }: AttemptParts,
  { notice_id: id, body, attempt }: ClaimedDelivery,
  endpointId: string,
): Promise<Answered> {
  const endpoint = await findEndpoint(db.orm, endpointId);
  if (endpoint === undefined) throw new Error("the endpoint was deleted");
  requireEndpointUrl(endpoint.url, post);
  const at = now();
  const secrets = await secretsOf(db.orm, sealingKeys, endpointId, at);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, new Date(at), body));
  const headers = {
    "content-type": "application/json",
    "user-agent": "Reckoner",
    "webhook-id": id,
    // Of this attempt, in seconds.
    "webhook-timestamp": String(Math.floor(at / 1_000)),
    "webhook-signature": signatures.join(" "),
    "webhook-attempt": String(attempt),
  };
  const { status, answer, retryAfterMs } = await postJson(new URL(endpoint.url), headers, body, post);
  return { status, answer, retryAfterMs, isGone: status === 410, error: errorOf(status) };
}

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return `answered ${status}`;
}

async function mailTo(
  { db, mail, operatorEmail }: AttemptParts,
  { id, body, customer_id: customerId }: ClaimedDelivery,
): Promise<Answered> {
  if (mail === null) throw new Error("no mail is sent from here: set SMTP_URL");
  const notice = JSON.parse(body) as ComposedNotice;
  const reader = customerId === null ? null : await findCustomer(db.orm, customerId);
  const to = customerId === null ? operatorEmail : reader?.email;
  if (!to) throw new Error("there is nobody to write to");
  const seller = (await currentSeller(db.orm))?.details.name ?? null;
  const composed = mailOf(notice, {
    name: reader?.name ?? "operator",
    timeZone: reader?.timeZone ?? "UTC",
    seller,
  });
  if (composed === null) throw new Error(`there is no letter for ${notice.type}`);
  const sent = await mail.send({ ...composed, to, key: id });
  return { ...sent, error: null };
}
