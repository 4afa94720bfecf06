import { z } from "zod";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";

/** Stripe's webhooks: kept as the very bytes that were signed, answered at once, worked on later. */
export async function webhookRoutes(api: ApiInstance, { receiveWebhook }: ApiDependencies): Promise<void> {
  // In a scope of its own, because here no body may be parsed: parsing and writing again would break the signature.
  await api.register(async (raw: ApiInstance) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    raw.post(
      "/v1/webhooks/stripe",
      {
        config: { scope: "public", refusals: ["webhook_signature_invalid", "webhook_mode_invalid"] },
        schema: {
          tags: ["Webhooks"],
          summary: "Receive a Stripe event",
          description: "For Stripe only: the header `Stripe-Signature` must fit the body.",
          response: { 200: z.object({ received: z.literal(true) }) },
        },
      },
      async ({ body, headers }) => {
        const signature = headers["stripe-signature"];
        await receiveWebhook({
          rawBody: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
          signature: typeof signature === "string" ? signature : undefined,
        });
        return { received: true as const };
      },
    );
  });
}
