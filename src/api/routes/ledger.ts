import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { fileStreams } from "../streamed-file.ts";
import { ledgerAccountRoutes } from "./ledger-accounts.ts";
import { ledgerEntryRoutes } from "./ledger-entries.ts";
import { ledgerJournalRoutes } from "./ledger-journal.ts";
import { ledgerPeriodRoutes } from "./ledger-periods.ts";
import { ledgerStatementRoutes } from "./ledger-statements.ts";
import { ledgerTrialBalanceRoutes } from "./ledger-trial-balance.ts";

/** All that can be read of the ledger, and the closing of its months. */
export function ledgerRoutes(api: ApiInstance, deps: ApiDependencies): void {
  ledgerAccountRoutes(api, deps);
  ledgerEntryRoutes(api, deps);
  ledgerTrialBalanceRoutes(api, deps);
  const streamFile = fileStreams(deps.db);
  ledgerStatementRoutes(api, deps, streamFile);
  ledgerJournalRoutes(api, deps, streamFile);
  ledgerPeriodRoutes(api, deps);
}
