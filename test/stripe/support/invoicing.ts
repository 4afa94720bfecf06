import type { Stripe } from "stripe";

/** A customer whose invoices are charged to this test card. */
export async function customerWith(
  stripe: Stripe,
  card: string,
  params: Stripe.CustomerCreateParams = {},
): Promise<string> {
  const { id } = await stripe.customers.create({ name: "Ada", ...params });
  const method = await stripe.paymentMethods.attach(card, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
  return id;
}

/** A finalised invoice of one line. */
export async function openInvoice(
  stripe: Stripe,
  customer: string,
  amount: number,
  currency = "usd",
): Promise<Stripe.Invoice> {
  const draft = await stripe.invoices.create({ customer, currency });
  await stripe.invoices.addLines(draft.id, { lines: [{ amount, description: "Usage" }] });
  return await stripe.invoices.finalizeInvoice(draft.id);
}
