import { receiveWebhook } from "../db/billing/webhook-inbox.ts";
import type { Database } from "../db/database.ts";
import { isFollowed, verifyWebhook } from "../stripe/index.ts";
import type { WebhookReceiver } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";

/** How old a signature may be: Stripe's own recommendation. */
const toleranceSeconds = 300;

export interface WebhookSettings {
  /** All signing secrets in force: two while one replaces the other. */
  readonly secrets: readonly string[];
  readonly isLive: boolean;
}

/** Verifies each webhook over its bytes and keeps it in the inbox before Stripe is told that it arrived. */
export function webhookReceiver(db: Database, { secrets, isLive }: WebhookSettings): WebhookReceiver {
  return async ({ rawBody, signature = "" }) => {
    const verified = verifyWebhook({
      rawBody: rawBody.toString(),
      signatureHeader: signature,
      secrets,
      toleranceSeconds,
    });
    if (verified.livemode !== isLive) {
      const [theirs, ours] = isLive ? ["test", "live"] : ["live", "test"];
      throw new RequestRefusedError(
        "webhook_mode_invalid",
        `this is a ${theirs} event, and ours is the ${ours} mode`,
      );
    }
    const { id: eventId, type, apiVersion, rawBody: body } = verified;
    // Most are about what we did ourselves: four of five, where invoices are mirrored.
    await receiveWebhook(db.orm, { eventId, type, apiVersion, body, isIgnored: !isFollowed(type) });
  };
}
