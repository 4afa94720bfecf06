import { join } from "node:path";
import { z } from "zod";

export const runningSystem = z.object({
  apiUrl: z.string(),
  apiKey: z.string(),
  temporalUiUrl: z.string().optional(),
  databaseUrl: z.string(),
  /** As in LEDGER_SEALS. */
  ledgerSeals: z.string(),
  /** The key once more where `npm start` has made it: it may be shown in links. A key of the user's own never is. */
  signInKey: z.string().optional(),
  /** Of the stand-in; without it Stripe is where the environment says. */
  stripeApiBase: z.string().optional(),
});

/** What `npm start` leaves in a file while it runs, so that other commands find the system. */
export type RunningSystem = z.infer<typeof runningSystem>;

export const runningFile = (home: string) => join(home, "running.json");
