import { z } from "zod";
import { inTransaction } from "../../db/database.ts";
import { type AccountingPeriod, findPeriod, listPeriods } from "../../db/ledger/accounting-periods.ts";
import { closeAccountingPeriod } from "../../db/ledger/ledger.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import {
  type AccountingMonth,
  accountingMonth,
  firstDayOf,
  monthOf,
} from "../../domain/ledger/accounting-month.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantText, monthInput, monthText } from "../wire.ts";

const periodSchema = z
  .object({
    month: monthText,
    status: z.enum(["open", "closed"]).describe("Nothing becomes effective in a closed month any more."),
    closed_at: instantText.nullable(),
    closed_by: z.string().nullable().describe("Who closed it.").meta({ example: "api-key/key_1" }),
  })
  .meta({ id: "AccountingPeriod" });

const byMonth: CursorForm<AccountingMonth> = {
  write: (month) => [month],
  read: ([text = ""]) => accountingMonth(text),
};

const tags = ["Ledger"];

export function ledgerPeriodRoutes(api: ApiInstance, deps: ApiDependencies): void {
  closePeriod(api, deps);
  api.get(
    "/v1/ledger/periods",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List accounting periods from the ledger's first to the current one, the latest first",
        querystring: pageQuery,
        response: { 200: listOf(periodSchema) },
      },
    },
    async ({ query }) => {
      const page = await listPeriods(deps.db.orm, monthOf(deps.now()), pageRequest(query, byMonth));
      return listAnswer(page, byMonth, periodAnswer);
    },
  );
}

function closePeriod(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/ledger/periods/:month/close",
    {
      config: { scope: "admin", refusals: ["accounting_period_not_ended"] },
      schema: {
        tags,
        summary: "Close an accounting period and every one before it, for good",
        description:
          "Waits for entries under way. A fact of a closed month that comes later is booked in the first open month and " +
          "keeps the instant it occurred at. Closing a closed period changes nothing and answers with its first closing.",
        params: z.strictObject({ month: monthInput }),
        response: { 200: periodSchema },
      },
    },
    async (request) => {
      const { month } = request.params;
      if (month >= monthOf(now())) {
        const message = `${month} has not ended: a period is closed after its last instant`;
        throw new RequestRefusedError("accounting_period_not_ended", message, "month");
      }
      const { actor } = callerOf(request);
      const period = await inTransaction(db, async (tx) => {
        await closeAccountingPeriod(tx, firstDayOf(month), actor);
        return findPeriod(tx, month);
      });
      return periodAnswer(period);
    },
  );
}

function periodAnswer({ month, closing }: AccountingPeriod): z.infer<typeof periodSchema> {
  return {
    month,
    status: closing === null ? "open" : "closed",
    closed_at: closing === null ? null : isoOf(closing.at),
    closed_by: closing?.by ?? null,
  };
}
