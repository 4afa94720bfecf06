import { z } from "zod";
import * as variables from "./variables.ts";

/** The variables that each part reads; `.env.example` and `docker-compose.yml` are tested against these. */
export const parts = {
  api: z.object({
    ...variables.databaseVariables,
    ...variables.temporalVariables,
    ...variables.stripeVariables,
    ...variables.apiVariables,
    ...variables.billingVariables,
    ...variables.logVariables,
  }),
  worker: z.object({
    ...variables.databaseVariables,
    ...variables.temporalVariables,
    ...variables.stripeVariables,
    ...variables.billingVariables,
    ...variables.workerVariables,
    ...variables.logVariables,
  }),
  migration: z.object(variables.migrationVariables),
  sandbox: z.object({ ...variables.sandboxVariables, ...variables.homeVariables, ...variables.logVariables }),
  start: z.object({
    ...variables.homeVariables,
    ...variables.temporalVariables,
    // Without an address or a connection string, `npm start` starts a server of its own.
    TEMPORAL_ADDRESS: variables.temporalVariables.TEMPORAL_ADDRESS.removeDefault().optional(),
    DATABASE_URL: variables.migrationVariables.DATABASE_URL.optional(),
    DATABASE_OWNER_URL: variables.migrationVariables.DATABASE_OWNER_URL.optional(),
    ...variables.stripeVariables,
    ...variables.startVariables,
    API_BOOTSTRAP_KEY: variables.apiVariables.API_BOOTSTRAP_KEY,
  }),
  client: z.object({
    ...variables.clientVariables,
    ...variables.homeVariables,
    TEMPORAL_UI_URL: variables.temporalVariables.TEMPORAL_UI_URL,
  }),
  databaseReader: z.object({
    ...variables.databaseVariables,
    DATABASE_URL: variables.databaseVariables.DATABASE_URL.optional(),
    ...variables.homeVariables,
  }),
  test: z.object({ ...variables.testVariables, ...variables.homeVariables }),
};
