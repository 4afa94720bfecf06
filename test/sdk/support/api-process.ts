import { Registry } from "prom-client";
import { buildApi } from "../../../src/api/build-api.ts";
import { adjustmentCommands } from "../../../src/api/commands/adjustment-commands.ts";
import { creditNoteCommands } from "../../../src/api/commands/credit-note-commands.ts";
import { recurringGrantCommands } from "../../../src/api/commands/recurring-grant-commands.ts";
import { openIngest } from "../../../src/api/ingest/ingest.ts";
import { openDatabase } from "../../../src/db/database.ts";
import { openReservationWriter } from "../../../src/db/entitlements/reservation-writer.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import { createLogger } from "../../../src/logger.ts";

/** The API as a process of its own, to be killed: on a database that is there, without what needs Temporal or Stripe. */
async function run(databaseUrl: string, port: number): Promise<void> {
  const db = openDatabase({ url: databaseUrl, poolSize: 5 });
  const now = () => instant("2026-03-01T12:00:00Z");
  const metrics = new Registry();
  const api = await buildApi({
    ...absent,
    ingest: openIngest({ url: databaseUrl, metrics }),
    reservations: openReservationWriter({ url: databaseUrl }),
    adjustments: adjustmentCommands({ db, now, approvalLimits: new Map() }),
    creditNotes: creditNoteCommands({ db, now, approvalLimits: new Map() }, { startRefund: notHere }),
    recurringGrants: recurringGrantCommands({ db, now, approvalLimits: new Map() }),
    db,
    now,
    logger: createLogger({ level: "error", format: "json" }, "api"),
    metrics,
  });
  await api.listen({ host: "127.0.0.1", port });
}

const notHere = async (): Promise<never> => {
  throw new Error("this part is not here in this test");
};

const absent = {
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
  webhookEndpoints: { sealingKeys: [Buffer.alloc(32, 7)], privateAllowed: true },
  receiveWebhook: notHere,
  stripeMeters: { counted: notHere, list: notHere },
};

const [databaseUrl = "", port = ""] = process.argv.slice(2);
await run(databaseUrl, Number(port));
