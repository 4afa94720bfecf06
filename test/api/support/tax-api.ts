import { closePeriodOnce } from "../../../src/activities/close-period.ts";
import { taxCommands } from "../../../src/api/commands/tax-commands.ts";
import type { TaxCommands } from "../../../src/api/tax-dependencies.ts";
import { verifyInvoices } from "../../../src/db/billing/invoice-verification.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import { draftIdOf } from "../../../src/domain/invoicing/index.ts";
import type { TemporalGateway } from "../../../src/temporal/gateway.ts";
import type { BillingCycleInput } from "../../../src/workflows/messages.ts";
import { expectInvariants } from "../../support/invariants.ts";
import { BilledCustomers } from "./billed-customer.ts";
import { type Answer, type RunningApi, startApi, wallClock } from "./running-api.ts";

/** When the January of a customer has ended, and is not closed yet: it has an hour of grace. */
export const januaryOver = "2026-01-31T23:30:00Z";

/** An API at which tax from outside is given, and periods are finalised by the activity itself. */
export class TaxApi {
  readonly api: RunningApi;
  readonly billed: BilledCustomers;

  private constructor(api: RunningApi) {
    this.api = api;
    this.billed = new BilledCustomers(api.db);
  }

  static async begin(): Promise<TaxApi> {
    let commands: TaxCommands | undefined;
    const asked = () => commands ?? missing();
    const api = await startApi({
      taxes: {
        chooseTax: (...given) => asked().chooseTax(...given),
        giveTaxOfDraft: (...given) => asked().giveTaxOfDraft(...given),
        giveTaxAhead: (...given) => asked().giveTaxAhead(...given),
        finalise: (...given) => asked().finalise(...given),
      },
    });
    const finaliseCycle = async ({ subscriptionId, periodStart, clock }: BillingCycleInput) => {
      const closing = { subscriptionId, periodStart, at: clock?.now ?? "", finalise: true };
      await closePeriodOnce(api.db, closing, { usageWaitMsMax: 0 });
    };
    const gateway = { finaliseCycle, tellTaxGiven: async () => {} } as unknown as TemporalGateway;
    commands = taxCommands({ db: api.db, now: () => wallClock }, gateway);
    const tax = new TaxApi(api);
    await tax.billed.publish();
    return tax;
  }

  /** All of it derives again, and breaks no rule. */
  async end(): Promise<void> {
    const { findings, unknown } = await verifyInvoices(this.api.db);
    if (findings.length + unknown.length > 0) throw new Error(JSON.stringify([findings, unknown]));
    await expectInvariants(this.api.db, { limits: { billing: 1e9, clearing: 1e9 } });
    await this.api.stop();
  }

  /** A customer with 11,000 tokens in January, which has ended. Gives the draft's id. */
  async ended(customer: string, choice: object | null = { handling: "external" }): Promise<string> {
    await this.billed.subscribe(customer);
    if (choice !== null) await this.api.call("PUT", `/v1/customers/${customer}/tax`, choice);
    await this.billed.use(customer, "2026-01-10T00:00:00Z", 11_000);
    await this.billed.clockAt(customer, januaryOver);
    return this.idOf(customer);
  }

  idOf(customer: string): string {
    return draftIdOf(customer, instant("2025-12-31T23:00:00Z"));
  }

  async draftOf(id: string) {
    return (await this.api.call("GET", `/v1/draft-invoices/${id}`)).body;
  }

  give(id: string, body: object): Promise<Answer> {
    return this.api.call("PUT", `/v1/draft-invoices/${id}/tax-lines`, body);
  }
}

function missing(): never {
  throw new Error("the API has begun");
}

export const vat = (taxable: string, amount: string, more: object = {}) => ({
  ...{ description: "VAT 19 %, Germany", jurisdiction: "de", rate: "0.19" },
  ...{ taxable_minor: taxable, amount_minor: amount, ...more },
});

/** Lines of tax for a quote, with their sum. */
export const tax = (quote: string, ...lines: { amount_minor: string }[]) => ({
  ...{ quote, currency: "usd", lines },
  tax_minor: lines.reduce((sum, line) => sum + BigInt(line.amount_minor), 0n).toString(),
});

export const refused = ({ status, body: { code, field, detail } }: Answer) => ({
  status,
  code,
  field,
  detail,
});
