import { isBilledToItsEnd } from "../../db/billing/agreed-rows.ts";
import { insertFinaliseRequest } from "../../db/billing/draft-invoices.ts";
import { lateInvoiceCount } from "../../db/billing/late-after-end.ts";
import { findSubscription, lockCustomer, type StoredSubscription } from "../../db/billing/subscriptions.ts";
import { insertTaxChoice, lastTaxChoice, taxStandingOf } from "../../db/billing/tax-choices.ts";
import { keepTaxGiven, type StoredTax } from "../../db/billing/tax-given.ts";
import { type Database, inTransaction } from "../../db/database.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { requireTaxFits } from "../../domain/invoicing/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies, CommandContext } from "../dependencies.ts";
import { draftSubscription, invoiceOfPeriod, openDraft } from "../draft-of.ts";
import { RequestRefusedError } from "../refusals.ts";
import type { FinalisedDraft, TaxCommands, TaxToGive } from "../tax-dependencies.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** How long a caller waits for a close, which mostly takes a fraction of a second. */
const closeMsMax = 15_000;
const lookAgainMs = 100;

/** Tax from outside is written down first; runs that wait for it are told that it is there. */
export function taxCommands(
  deps: Pick<ApiDependencies, "db" | "now">,
  gateway: TemporalGateway,
): TaxCommands {
  const { db } = deps;
  return {
    async chooseTax({ appliesAt, ...choice }, { actor }) {
      const chosenAt = await timeOfCustomer(deps, choice.customerId);
      if (appliesAt !== undefined && appliesAt < chosenAt) {
        const message = "must not be in the past: what is issued stays as it is";
        throw new RequestRefusedError("request_invalid", message, "applies_at");
      }
      const last = await lastTaxChoice(db.orm, choice.customerId);
      const isSame = last?.handling === choice.handling && last.basis === choice.basis;
      if (isSame && last.appliesAt <= (appliesAt ?? chosenAt)) return;
      const by = { chosenBy: actor, chosenAt, appliesAt: appliesAt ?? chosenAt };
      await insertTaxChoice(db.orm, { ...choice, ...by });
    },

    async giveTaxOfDraft({ draftId, ...tax }, context) {
      const { draft, at } = await openDraft(deps, draftId);
      const { row, quote, taxable, period } = draft;
      if (draft.standing.handling === "none") throw notExternal();
      if (quote !== tax.quote) throw outdated(draftId, tax.quote);
      requireTaxFits(tax.lines, taxable);
      if (tax.currency !== row.currency) throw otherCurrency(row.currency, tax.currency);
      const kept = await keep(db, row.customerId, tax, at, context);
      const clock = await clockReadingOf(db, row.customerId);
      const told = {
        subscriptionId: row.id,
        periodStart: isoOf(period.start),
        clock,
        ...(await againOf(db, row)),
      };
      await gateway.tellTaxGiven(told, tax.requestId);
      return kept;
    },

    async giveTaxAhead({ customerId, ...tax }, context) {
      const at = await timeOfCustomer(deps, customerId);
      if ((await taxStandingOf(db.orm, { customerId, at })).handling === "none") throw notExternal();
      return await keep(db, customerId, tax, at, context);
    },

    async finalise({ draftId, requestId, reason }, { actor }) {
      const { row, isOpen, start } = await draftSubscription(deps, draftId);
      if (!isOpen) return { status: "closed", invoiceId: await invoiceOfPeriod(db.orm, row.id, start) };
      const { draft, at } = await openDraft(deps, draftId);
      if (draft.quote !== null && draft.tax === undefined) throw taxMissing(draft.quote);
      const { id: subscriptionId, customerId, graceSeconds } = row;
      const { period } = draft;
      const by = { requestedBy: actor, requestedAt: at };
      await insertFinaliseRequest(db.orm, { subscriptionId, periodStart: start, requestId, reason, ...by });
      const clock = await clockReadingOf(db, customerId);
      const again = await againOf(db, row);
      const cycle = {
        periodStart: isoOf(period.start),
        periodEnd: isoOf(period.end),
        graceSeconds,
        clock,
        ...again,
      };
      await gateway.finaliseCycle({ subscriptionId, customerId, ...cycle }, requestId);
      return await closed(db, row, start);
    },
  };
}

/** Which of its runs a draft is closed by: after the end of a subscription late usage may come more than once. */
async function againOf({ orm }: Database, row: StoredSubscription): Promise<{ readonly again?: number }> {
  const again = isBilledToItsEnd(row) ? await lateInvoiceCount(orm, row.id) : 0;
  return again === 0 ? {} : { again };
}

async function keep(
  db: Database,
  customerId: string,
  { requestId: id, ...tax }: TaxToGive,
  givenAt: Instant,
  { actor }: CommandContext,
): Promise<StoredTax> {
  return await inTransaction(db, async (tx) => {
    await lockCustomer(tx, customerId);
    return await keepTaxGiven(tx, { ...tax, id, customerId, givenBy: actor, givenAt });
  });
}

/** Waits for the run that was told to close a period, as long as a caller waits. */
async function closed(db: Database, row: StoredSubscription, start: Instant): Promise<FinalisedDraft> {
  const until = performance.now() + closeMsMax;
  for (;;) {
    const now = await findSubscription(db.orm, row.id);
    if (now === undefined || now.billedThrough > start || now.nextCloseAt === null) {
      return { status: "closed", invoiceId: await invoiceOfPeriod(db.orm, row.id, start) };
    }
    if (performance.now() > until) return { status: "closing", invoiceId: null };
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

const notExternal = () =>
  new RequestRefusedError(
    "tax_not_external",
    "nobody outside reckons this customer's tax: say so first, with PUT /v1/customers/{id}/tax",
  );

const outdated = (draftId: string, quote: string) =>
  new RequestRefusedError(
    "tax_quote_outdated",
    `the draft's lines are other than those of quote ${quote}: read /v1/draft-invoices/${draftId} again, reckon its tax, and give it with the quote of then`,
    "quote",
  );

const taxMissing = (quote: string) =>
  new RequestRefusedError(
    "tax_missing",
    `the tax on its lines is reckoned outside and not given: give it for quote ${quote} first`,
  );

const otherCurrency = (is: string, given: string) =>
  new RequestRefusedError("tax_line_invalid", `the invoice is in ${is}, not ${given}`, "currency");
