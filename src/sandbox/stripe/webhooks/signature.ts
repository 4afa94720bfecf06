import { createHmac } from "node:crypto";

/** The `Stripe-Signature` header: one `v1` per secret that is valid while secrets roll. `timestamp` in seconds. */
export function signatureHeader(payload: string, secrets: readonly string[], timestamp: number): string {
  const signatures = secrets.map((secret) => `v1=${signatureOf(payload, secret, timestamp)}`);
  return [`t=${timestamp}`, ...signatures].join(",");
}

function signatureOf(payload: string, secret: string, timestamp: number): string {
  return createHmac("sha256", secret).update(`${timestamp}.${payload}`).digest("hex");
}
