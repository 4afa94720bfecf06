import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { hashOf, newApiKeySecret, prefixOf } from "../../../src/api/api-key-secret.ts";
import { buildApi } from "../../../src/api/build-api.ts";
import { adjustmentCommands } from "../../../src/api/commands/adjustment-commands.ts";
import { creditNoteCommands } from "../../../src/api/commands/credit-note-commands.ts";
import { recurringGrantCommands } from "../../../src/api/commands/recurring-grant-commands.ts";
import type { ApiDependencies } from "../../../src/api/dependencies.ts";
import { type IngestOptions, openIngest } from "../../../src/api/ingest/ingest.ts";
import { admitBootstrapKey, insertApiKey, type Scope } from "../../../src/db/access.ts";
import { type Database, openDatabase } from "../../../src/db/database.ts";
import { openReservationWriter } from "../../../src/db/entitlements/reservation-writer.ts";
import type { ApprovalLimits } from "../../../src/domain/adjustments/index.ts";
import { type Instant, instant } from "../../../src/domain/calendar/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import { createLogger } from "../../../src/logger.ts";
import { cloneDatabase } from "../../support/postgres.ts";

/** A fixed wall clock, so that expiry and creation times are known. */
export const wallClock: Instant = instant("2026-03-01T12:00:00Z");

/** Above these an adjustment needs a second key; in a currency that is not here, always. */
export const approvalLimits: ApprovalLimits = new Map(
  [money(50_000n, "usd"), money(50_000n, "jpy"), money(500_000n, "kwd")].map((limit) => [
    limit.currency,
    limit,
  ]),
);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly body: any;
}

export interface CallOptions {
  /** A whole secret; the admin key when left out, no header when null. */
  readonly key?: string | null;
  /** A new one for every call when left out, no header when null. */
  readonly idempotencyKey?: string | null;
  readonly headers?: Record<string, string>;
}

export interface RunningApi {
  readonly url: string;
  readonly db: Database;
  readonly ownerUrl: string;
  readonly adminKey: string;
  /** Everything the API has logged, as text. */
  readonly log: () => string;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  newKey(scopes: readonly Scope[], expiresAt?: Instant | null): Promise<string>;
  stop(): Promise<void>;
}

/** The API on a port of its own and a database of its own. Parts that are not given refuse every command. */
export async function startApi(
  parts: Partial<ApiDependencies> = {},
  ingestOptions: Partial<IngestOptions> = {},
): Promise<RunningApi> {
  const database = await cloneDatabase();
  const db = openDatabase({ url: database.appUrl, poolSize: 5 });
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json" }, "api", {
    write: (line) => void lines.push(line),
  });
  const now = () => wallClock;
  const metrics = new Registry();
  const ingest = openIngest({ url: database.appUrl, metrics, ...ingestOptions });
  const reservations = openReservationWriter({ url: database.appUrl });
  const api = await buildApi({
    ...refusingParts,
    // Needs nothing but the database.
    adjustments: adjustmentCommands({ db, now, approvalLimits }),
    recurringGrants: recurringGrantCommands({ db, now, approvalLimits }),
    creditNotes: creditNoteCommands({ db, now, approvalLimits }, { startRefund: async () => {} }),
    ingest,
    reservations,
    db,
    now,
    logger,
    metrics,
    ...parts,
  });
  const url = await api.listen({ host: "127.0.0.1", port: 0 });
  const adminKey = newApiKeySecret();
  const secretHash = hashOf(adminKey);
  await admitBootstrapKey(db.orm, { prefix: prefixOf(adminKey), secretHash, at: wallClock });
  return {
    url,
    db,
    ownerUrl: database.ownerUrl,
    adminKey,
    log: () => lines.join(""),
    call: (method, path, body, options) => call(url, adminKey, method, path, body, options),
    newKey: (scopes, expiresAt = null) => newKey(db, scopes, expiresAt),
    stop: async () => {
      await api.close();
      await ingest.writer.close();
      await ingest.backfills.close();
      await reservations.close();
      await db.close();
      await database.drop();
    },
  };
}

async function call(
  url: string,
  adminKey: string,
  method: string,
  path: string,
  body: unknown,
  { key = adminKey, idempotencyKey = randomUUID(), headers = {} }: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    redirect: "manual",
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(idempotencyKey === null || method !== "POST" ? {} : { "idempotency-key": idempotencyKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

async function newKey(db: Database, scopes: readonly Scope[], expiresAt: Instant | null): Promise<string> {
  const secret = newApiKeySecret();
  await insertApiKey(db.orm, {
    id: `key_${randomUUID()}`,
    prefix: prefixOf(secret),
    secretHash: hashOf(secret),
    name: "a test's key",
    scopes: [...scopes],
    createdAt: instant("2026-01-01T00:00:00Z"),
    expiresAt,
  });
  return secret;
}

const notHere = async (): Promise<never> => {
  throw new Error("this part is not here in this test");
};

const refusingParts = {
  readinessChecks: [],
  testClocks: { areAllowed: true, create: notHere, advance: notHere },
  payments: { attachPaymentMethod: notHere, openSetupPage: notHere, openPortalPage: notHere },
  dunning: { command: notHere, choosePolicy: notHere },
  credits: { purchase: notHere },
  invoices: { voidInvoice: notHere },
  taxes: { chooseTax: notHere, giveTaxOfDraft: notHere, giveTaxAhead: notHere, finalise: notHere },
  subscriptions: {
    activate: notHere,
    changePlan: notHere,
    changeQuantity: notHere,
    addAddOn: notHere,
    cancel: notHere,
    pause: notHere,
    resume: notHere,
    removeAddOn: notHere,
    endTrial: notHere,
    uncancel: notHere,
    withdrawScheduled: notHere,
  },
  operations: {
    listRuns: notHere,
    countRuns: notHere,
    readRun: notHere,
    queues: notHere,
    plan: notHere,
    open: notHere,
    work: notHere,
  },
  receiveWebhook: notHere,
  stripeMeters: { counted: notHere, list: notHere },
  signIn: {
    provider: undefined,
    localPassword: "a password for tests",
    idleMsMax: 3_600_000,
    lifetimeMsMax: 12 * 3_600_000,
    publicUrl: "http://127.0.0.1",
    isSecure: false,
  },
  requestsPerSecondMax: 1_000_000,
  webhookEndpoints: { sealingKeys: [Buffer.alloc(32, 7)], privateAllowed: true },
};
