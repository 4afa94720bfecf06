import { Stripe } from "stripe";
import { BillingError } from "../domain/errors.ts";
import { pacedClient, type TakeTurn } from "./paced-client.ts";

export class StripeLiveKeyWithBaseOverrideError extends BillingError {
  readonly code = "stripe_live_key_with_base_override";

  constructor() {
    super("a live Stripe key must not be sent to another address: unset STRIPE_API_BASE, or use a test key");
  }
}

export class StripeInsecureBaseError extends BillingError {
  readonly code = "stripe_insecure_base";

  constructor(apiBase: string) {
    super(
      `${apiBase} is not https and not on this machine: a Stripe key must not cross a network in clear text`,
    );
  }
}

/** Less than an activity's time, so that the activity sees the failure and not its own end. */
const timeoutMs = 30_000;

export type StripeAccess = {
  readonly apiKey: string;
  /** Another address than Stripe's. */
  readonly apiBase?: string | undefined;
  /** Gives each request its turn; without it, they go as they come. */
  readonly takeTurn?: TakeTurn;
};

/**
 * The SDK as the rail needs it: no retries of its own (the key and the decision are ours), no telemetry, the API
 * version the SDK was made for. `apiBase` is an address such as `http://127.0.0.1:12111` for the stand-in.
 */
export function createStripe({ apiKey, apiBase, takeTurn }: StripeAccess): Stripe {
  const common = {
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
    ...(takeTurn && { httpClient: pacedClient(takeTurn) }),
  } as const;
  if (apiBase === undefined) return new Stripe(apiKey, common);
  if (/^(sk|rk)_live_/.test(apiKey)) throw new StripeLiveKeyWithBaseOverrideError();
  const { protocol, hostname, port } = new URL(apiBase);
  if (protocol !== "https:" && !isLoopback(hostname)) throw new StripeInsecureBaseError(apiBase);
  const scheme = protocol === "https:" ? "https" : "http";
  return new Stripe(apiKey, {
    ...common,
    protocol: scheme,
    host: hostname,
    port: port === "" ? defaultPorts[scheme] : Number(port),
  });
}

const defaultPorts = { http: 80, https: 443 };

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
