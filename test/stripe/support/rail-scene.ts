import { instant } from "../../../src/domain/calendar/index.ts";
import { createStripe, type PaymentOutcome, type StripeRail, stripeRail } from "../../../src/stripe/index.ts";
import { type MemoryOperationLog, memoryOperationLog } from "./operation-log.ts";
import { accountOf } from "./sandbox.ts";

export const at = instant("2026-05-01T00:00:00Z");
const dayMs = 86_400_000;

// 2000 + 550 − 50 = 2500
const threeLines = [
  { lineId: "l1", description: "Pro plan", amountMinor: "2000", period: { start: at, end: at + dayMs } },
  { lineId: "l2", description: "1,100 thousand tokens", amountMinor: "550" },
  { lineId: "l3", description: "Unused seat", amountMinor: "-50" },
];

export const ada = { customerId: "cus_1", name: "Ada", email: "ada@example.com", at };

export function invoiceFor(stripeCustomerId: string, lines = threeLines) {
  return {
    invoiceId: "inv_1",
    number: "ADA-1",
    customerId: ada.customerId,
    stripeCustomerId,
    currency: "usd",
    lines,
    totalMinor: String(lines.reduce((sum, line) => sum + Number(line.amountMinor), 0)),
    metadata: { reckoner_workflow: "collection/inv_1" },
    at,
  };
}

export type RailScene = ReturnType<typeof accountOf> & {
  readonly rail: StripeRail;
  readonly log: MemoryOperationLog;
  customerWithCard(card: string): Promise<string>;
  giveCard(stripeCustomerId: string, paymentMethodToken: string, key: string): Promise<unknown>;
  pay(stripeInvoiceId: string, attempt?: number): Promise<PaymentOutcome>;
  /** What Stripe holds, read past the rail. */
  counts(): Promise<{ customers: number; invoices: number; paidCharges: number }>;
};

/** The rail over a fresh account of the stand-in at `url`, with one customer called Ada to play with. */
export function railScene(url: string): RailScene {
  const account = accountOf(url);
  const log = memoryOperationLog();
  const rail = stripeRail(createStripe({ apiKey: account.apiKey, apiBase: url }), log);
  const giveCard = (stripeCustomerId: string, paymentMethodToken: string, key: string) =>
    rail.attachPaymentMethod({ customerId: ada.customerId, stripeCustomerId, paymentMethodToken, key, at });
  return {
    ...account,
    rail,
    log,
    giveCard,
    async customerWithCard(card) {
      const { stripeCustomerId } = await rail.ensureCustomer(ada);
      await giveCard(stripeCustomerId, card, "card/1");
      return stripeCustomerId;
    },
    pay: (stripeInvoiceId, attempt = 1) =>
      rail.payInvoice({ invoiceId: "inv_1", stripeInvoiceId, attempt, at }),
    async counts() {
      const { stripe } = account;
      const [customers, invoices, charges] = await Promise.all([
        stripe.customers.list({ limit: 100 }),
        stripe.invoices.list({ limit: 100 }),
        stripe.charges.list({ limit: 100 }),
      ]);
      const paid = charges.data.filter((charge) => charge.paid);
      return { customers: customers.data.length, invoices: invoices.data.length, paidCharges: paid.length };
    },
  };
}
