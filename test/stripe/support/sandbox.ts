import { randomBytes } from "node:crypto";
import { Stripe } from "stripe";
import { afterEach, expect } from "vitest";
import {
  type StripeSandbox,
  type StripeSandboxOptions,
  startStripeSandbox,
} from "../../../src/sandbox/stripe/index.ts";
import { replyViolations } from "./reply-schema.ts";

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

const misfits: string[] = [];
afterEach(() => {
  expect(takeMisfits()).toEqual([]);
});

/** The replies so far that did not fit the specification, once. */
export function takeMisfits(): string[] {
  return misfits.splice(0);
}

/**
 * The SDK without retries of its own, so that a test sees every reply. Every success is held against Stripe's
 * specification: a reply that does not fit fails the test that got it.
 */
export function sdk(url: string, apiKey: string): Stripe {
  const { hostname, port } = new URL(url);
  const address = { host: hostname, port: Number(port), protocol: "http" } as const;
  const stripe = new Stripe(apiKey, {
    ...address,
    maxNetworkRetries: 0,
    timeout: 3000,
    emitEventBodies: true,
  });
  stripe.on("response", (response: Stripe.ResponseEvent & { readonly body?: unknown }) => {
    if (response.status !== 200) return;
    const path = response.path.split("?")[0] ?? "";
    // Of the second version there is no specification but the SDK's types.
    if (path.startsWith("/v2/")) return;
    const violations = replyViolations(response.method, path, response.body);
    misfits.push(...violations.map((violation) => `${response.method} ${path}: ${violation}`));
  });
  return stripe;
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
