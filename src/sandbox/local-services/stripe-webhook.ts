import { join } from "node:path";
import Stripe from "stripe";
import type { StripeConfig } from "../../config.ts";
import { keptSecret, writePrivately } from "./secrets.ts";

interface KeptEndpoint {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
}

/**
 * Registers our webhook endpoint, once for each address, and gives its signing secret. Stripe tells the secret only
 * when the endpoint is made, so it is kept in `home`; should the endpoint be gone, a new one is made.
 */
export async function registerWebhookEndpoint(
  stripe: StripeConfig,
  url: string,
  home: string,
): Promise<string> {
  const client = new Stripe(stripe.apiKey, stripe.apiBase);
  const file = join(home, "stripe-webhook.json");
  const kept: KeptEndpoint = await keptSecret(file, () => createEndpoint(client, url));
  const known = await client.webhookEndpoints.list({ limit: 100 });
  const isKnown = kept.url === url && known.data.some(({ id }) => id === kept.id);
  if (isKnown) return kept.secret;
  if (known.data.some(({ id }) => id === kept.id)) await client.webhookEndpoints.del(kept.id);
  const fresh = await createEndpoint(client, url);
  writePrivately(file, fresh);
  return fresh.secret;
}

async function createEndpoint(client: Stripe, url: string): Promise<KeptEndpoint> {
  const { id, secret } = await client.webhookEndpoints.create({
    url,
    enabled_events: ["*"],
    // Events come in the endpoint's version; ours is the version of the SDK that reads them.
    api_version: Stripe.API_VERSION,
  });
  if (secret === undefined) throw new Error(`the webhook endpoint ${id} came without its signing secret`);
  return { id, url, secret };
}
