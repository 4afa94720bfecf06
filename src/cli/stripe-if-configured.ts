import type { Stripe } from "stripe";
import { type DatabaseConfig, loadWorkerConfig, readEnvironment } from "../config.ts";
import { createStripe } from "../stripe/index.ts";

/** Stripe as the workers reach it; undefined when the environment does not say how. */
export function stripeIfConfigured({ url }: DatabaseConfig): Stripe | undefined {
  const environment = readEnvironment();
  if (!environment.STRIPE_API_KEY && !environment.STRIPE_API_BASE) return undefined;
  const { apiKey, apiBase } = loadWorkerConfig({ ...environment, DATABASE_URL: url }).stripe;
  const base = apiBase && `${apiBase.protocol}://${apiBase.host}:${apiBase.port}`;
  return createStripe({ apiKey, apiBase: base });
}
