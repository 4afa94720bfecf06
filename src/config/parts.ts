import { z } from "zod";
import { endpointVariables, mailVariables } from "./notices.ts";
import { signInVariables } from "./sign-in.ts";
import * as variables from "./variables.ts";

const api = z.object({
  ...variables.databaseVariables,
  ...variables.temporalVariables,
  ...variables.stripeVariables,
  ...variables.apiVariables,
  ...signInVariables,
  ...variables.billingVariables,
  ...endpointVariables,
  ...variables.logVariables,
});

const worker = z.object({
  ...variables.databaseVariables,
  ...variables.temporalVariables,
  ...variables.stripeVariables,
  ...variables.billingVariables,
  ...variables.workerVariables,
  ...variables.sealVariables,
  ...endpointVariables,
  ...mailVariables,
  ...variables.logVariables,
});

/** The variables that each part reads; `.env.example` and `docker-compose.yml` are tested against these. */
export const parts = {
  api,
  worker,
  usageLog: z.object({
    ...variables.databaseVariables,
    ...variables.usageLogVariables,
    ...variables.logVariables,
  }),
  codecServer: z.object({
    ...variables.databaseVariables,
    ...variables.codecServerVariables,
    TEMPORAL_PAYLOAD_KEYS: variables.temporalVariables.TEMPORAL_PAYLOAD_KEYS,
    TEMPORAL_UI_URL: variables.temporalVariables.TEMPORAL_UI_URL,
    ...variables.logVariables,
  }),
  migration: z.object(variables.migrationVariables),
  archive: z.object({
    ...variables.sealVariables,
    DATABASE_OWNER_URL: variables.migrationVariables.DATABASE_OWNER_URL,
  }),
  mailbox: z.object({ ...variables.mailboxVariables, ...variables.homeVariables, ...variables.logVariables }),
  sandbox: z.object({
    ...variables.sandboxVariables,
    ...variables.homeVariables,
    ...variables.logVariables,
    // Of the system whose webhooks it sends.
    STRIPE_API_KEY: variables.stripeVariables.STRIPE_API_KEY,
    STRIPE_WEBHOOK_SECRETS: variables.stripeVariables.STRIPE_WEBHOOK_SECRETS,
  }),
  // All that its parts will read, so that a bad value is found before anything is started.
  start: z.object({
    ...api.shape,
    ...worker.shape,
    ...variables.homeVariables,
    ...variables.startVariables,
    // Without an address or a connection string, `npm start` starts a server of its own.
    TEMPORAL_ADDRESS: variables.temporalVariables.TEMPORAL_ADDRESS.removeDefault().optional(),
    DATABASE_URL: variables.migrationVariables.DATABASE_URL.optional(),
    DATABASE_OWNER_URL: variables.migrationVariables.DATABASE_OWNER_URL.optional(),
  }),
  client: z.object({
    ...variables.clientVariables,
    ...variables.homeVariables,
    TEMPORAL_UI_URL: variables.temporalVariables.TEMPORAL_UI_URL,
  }),
  proof: z.object({
    ...variables.databaseVariables,
    DATABASE_URL: variables.databaseVariables.DATABASE_URL.optional(),
    ...variables.stripeVariables,
    ...variables.sealVariables,
    ...variables.homeVariables,
  }),
  conformance: z.object({ STRIPE_API_KEY: variables.stripeVariables.STRIPE_API_KEY }),
  test: z.object({ ...variables.testVariables, ...variables.homeVariables }),
};
