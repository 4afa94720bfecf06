import { setPaymentMethod, setStripeCustomer } from "../../db/billing/customer-payment.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import { openDunningsOf } from "../../db/billing/payments.ts";
import type { Database } from "../../db/database.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { type AttachedCard, StripeCallError, type StripeRail } from "../../stripe/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import type { PaymentCommands } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** Cards on file: at Stripe first, then here, then told to whoever waits for one. */
export function paymentCommands(
  db: Database,
  rail: StripeRail,
  gateway: TemporalGateway,
  wallClock: () => Instant,
): PaymentCommands {
  /** The customer as Stripe knows them from now on. */
  const atStripe = async (customerId: string) => {
    const { name, email, currency } = found(await findCustomer(db.orm, customerId), "customer", customerId);
    const { stripeCustomerId } = await reachable(
      rail.ensureCustomer({ customerId, name, email, at: wallClock() }),
    );
    await setStripeCustomer(db.orm, customerId, stripeCustomerId);
    return { stripeCustomerId, currency };
  };
  return {
    async openSetupPage(page) {
      const known = await atStripe(page.customerId);
      return await reachable(rail.openSetupPage({ ...page, ...known, at: wallClock() }));
    },

    async openPortalPage(page) {
      const { stripeCustomerId } = await atStripe(page.customerId);
      return await reachable(rail.openPortalPage({ ...page, stripeCustomerId, at: wallClock() }));
    },

    async attachPaymentMethod({ customerId, requestId, token }) {
      const { stripeCustomerId } = await atStripe(customerId);
      const key = `customer/${customerId}/payment-method/${requestId}`;
      const card = await reachable(
        rail.attachPaymentMethod({
          customerId,
          stripeCustomerId,
          paymentMethodToken: token,
          key,
          at: wallClock(),
        }),
      );
      const method = methodOf(card);
      await setPaymentMethod(db.orm, customerId, method);
      const clock = await clockReadingOf(db, customerId);
      for (const invoiceId of await openDunningsOf(db.orm, customerId)) {
        // Stripe tells of it, too, and may be quicker: it is one fact.
        await gateway.tellPaymentMethodUpdated(invoiceId, clock, `card/${method.id}`);
      }
      return method;
    },
  };
}

function methodOf({ stripePaymentMethodId, ...card }: AttachedCard) {
  return { id: stripePaymentMethodId, ...card };
}

/** A card that Stripe refuses is the caller's fault; that Stripe cannot be reached is nobody's, and may pass. */
async function reachable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StripeCallError)) throw error;
    const { failure } = error;
    switch (failure.kind) {
      case "declined":
        throw new RequestRefusedError(
          "payment_method_declined",
          `the card was declined (${failure.decline.code}): ask for another one`,
          "token",
        );
      case "invalid_request":
        throw new RequestRefusedError("payment_method_invalid", failure.message, "token");
      case "rate_limited":
      case "conflict":
      case "unavailable":
        throw new RequestRefusedError(
          "unavailable",
          "Stripe cannot be reached now: send the same request again",
        );
      default:
        throw error;
    }
  }
}
