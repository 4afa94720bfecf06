import { randomBytes } from "node:crypto";
import { Stripe } from "stripe";
import {
  type StripeSandbox,
  type StripeSandboxOptions,
  startStripeSandbox,
} from "../../../src/sandbox/stripe/index.ts";

export type SandboxUnderTest = {
  readonly sandbox: StripeSandbox;
  /** The real SDK, pointed at the stand-in, with an account of its own. */
  readonly stripe: Stripe;
  readonly apiKey: string;
  /** The control API, with that account's key. */
  control<Reply = unknown>(path: string, body?: unknown): Promise<Reply>;
  close(): Promise<void>;
};

/** A stand-in on a free port. Webhook retries come quickly. */
export async function sandboxUnderTest(
  options: Partial<StripeSandboxOptions> = {},
): Promise<SandboxUnderTest> {
  const sandbox = await startStripeSandbox({
    port: 0,
    webhookRetryDelaysMs: [50, 100, 200],
    log: (line) => console.error(line),
    ...options,
  });
  return { sandbox, ...accountOf(sandbox.url), close: () => sandbox.close() };
}

/** A fresh account of a stand-in that listens at `url`. */
export function accountOf(url: string, apiKey = newTestKey()): Omit<SandboxUnderTest, "close" | "sandbox"> {
  return {
    apiKey,
    stripe: sdk(url, apiKey),
    control: (path, body) => control(url, apiKey, path, body),
  };
}

export function newTestKey(): string {
  return `sk_test_${randomBytes(12).toString("hex")}`;
}

/** The SDK without retries of its own, so that a test sees every reply. */
export function sdk(url: string, apiKey: string): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(apiKey, {
    host: hostname,
    port: Number(port),
    protocol: "http",
    maxNetworkRetries: 0,
    timeout: 3000,
  });
}

async function control<Reply>(url: string, apiKey: string, path: string, body?: unknown): Promise<Reply> {
  const response = await fetch(`${url}/_sandbox/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${apiKey}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const reply = await response.json();
  if (!response.ok) throw new Error(`control ${path}: ${JSON.stringify(reply)}`);
  return reply as Reply;
}

/** What the SDK threw; fails the test when it did not. */
export async function refusalOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call was expected to be refused");
}
