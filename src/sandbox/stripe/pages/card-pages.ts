import { completeAuthentication, failAuthentication } from "../control/bank.ts";
import type { HttpReply } from "../http/api.ts";
import { StripeRefusal } from "../http/refusal.ts";
import { testCardByNumber } from "../payments/test-cards.ts";
import { type Cause, emit } from "../resources/emit.ts";
import { attach, newMethod } from "../resources/saved-cards.ts";
import { confirmSetup } from "../resources/setup-intents.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import type { CheckoutSession, Customer, PortalSession } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { escapeHtml, htmlReply, redirect } from "./html.ts";

type PageRequest = { readonly method: string; readonly path: string; readonly body: string };

/** `/checkout/{account}/{session}` and `/portal/{account}/{session}`: where customers give a card, as they would at Stripe. */
export function cardPage(request: PageRequest, accounts: Accounts): HttpReply | undefined {
  const named = /^\/(?<page>checkout|portal)\/(?<account>acct_[0-9a-f]+)\/(?<session>\w+)$/.exec(
    request.path,
  )?.groups;
  if (named === undefined) return undefined;
  const account = accounts.all().find(({ id }) => id === named.account);
  if (account === undefined) return nothing();
  const given = request.method === "POST" ? new URLSearchParams(request.body) : null;
  const id = named.session ?? "";
  if (named.page === "checkout") {
    const session = account.rows("checkout.session").get(id);
    return session === undefined ? nothing() : checkout(accounts, account, session, given);
  }
  const session = account.rows("billing_portal.session").get(id);
  return session === undefined ? nothing() : portal(accounts, account, session, given);
}

function checkout(
  accounts: Accounts,
  account: Account,
  session: CheckoutSession,
  given: URLSearchParams | null,
): HttpReply {
  if (session.status !== "open" || account.now() > session.expires_at) {
    return htmlReply(410, "Over", "<h1>This page has been used, or is too old.</h1>");
  }
  const asksBank = account.rows("setup_intent").get(session.setup_intent)?.status === "requires_action";
  if (given === null) return htmlReply(200, "Save a card", asksBank ? bankForm : cardForm("Save a card"));
  return accounts.transact(account, (tx) =>
    asksBank ? answeredBank(tx, session, given) : gaveCard(tx, session, given),
  );
}

function gaveCard(tx: Transaction, session: CheckoutSession, given: URLSearchParams): HttpReply {
  const card = testCardByNumber(given.get("number") ?? "");
  if (card === undefined) return sayNo("Save a card", "The stand-in knows Stripe's test cards only.");
  const cause = causeOf(tx);
  try {
    const setup = confirmSetup(cause, tx.get("setup_intent", session.setup_intent), newMethod(tx, card));
    return setup.status === "requires_action"
      ? htmlReply(200, "Save a card", bankForm)
      : completed(cause, session);
  } catch (error) {
    if (error instanceof StripeRefusal) return sayNo("Save a card", error.message);
    throw error;
  }
}

function answeredBank(tx: Transaction, session: CheckoutSession, given: URLSearchParams): HttpReply {
  if (given.get("answer") === "confirm") {
    completeAuthentication(tx, session.setup_intent);
    return completed(causeOf(tx), session);
  }
  failAuthentication(tx, session.setup_intent);
  return sayNo("Save a card", "Your bank did not confirm it. Try again, or another card.");
}

function completed(cause: Cause, session: CheckoutSession): HttpReply {
  emit(cause, "checkout.session.completed", cause.tx.put({ ...session, status: "complete" }));
  return redirect(session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id));
}

function portal(
  accounts: Accounts,
  account: Account,
  session: PortalSession,
  given: URLSearchParams | null,
): HttpReply {
  if (given === null) return htmlReply(200, "Your cards", portalText(account, session));
  const card = testCardByNumber(given.get("number") ?? "");
  if (card === undefined) return sayNo("Your cards", "The stand-in knows Stripe's test cards only.");
  return accounts.transact(account, (tx) => {
    const cause = causeOf(tx);
    const customer = tx.get("customer", session.customer);
    try {
      makeDefault(cause, customer, attach(cause, newMethod(tx, card), customer).id);
      return redirect(session.return_url);
    } catch (error) {
      if (error instanceof StripeRefusal) return sayNo("Your cards", error.message);
      throw error;
    }
  });
}

function makeDefault(cause: Cause, before: Customer, methodId: string): void {
  const after: Customer = cause.tx.put({ ...before, invoice_settings: { default_payment_method: methodId } });
  emit(cause, "customer.updated", after, before);
}

function portalText(account: Account, { customer, return_url: back }: PortalSession): string {
  const chosen = account.rows("customer").get(customer)?.invoice_settings.default_payment_method;
  const cards = [...account.rows("payment_method").newestFirst({ field: "customer", value: customer })].map(
    ({ id, card }) =>
      `<tr><td>${card.brand} …${card.last4}</td><td>${id === chosen ? "default" : ""}</td></tr>`,
  );
  return `${cardForm("Your cards")}<table>${cards.join("")}</table><p><a href="${escapeHtml(back)}">Back</a></p>`;
}

const causeOf = (tx: Transaction): Cause => ({ tx, requestId: null, idempotencyKey: null });

const nothing = (): HttpReply => htmlReply(404, "No such page", "<h1>There is no such page.</h1>");

const sayNo = (title: string, message: string): HttpReply =>
  htmlReply(200, title, `<p role="alert">${escapeHtml(message)}</p>${cardForm(title)}`);

const cardForm = (title: string) => `<h1>${title}</h1>
<form method="post"><label>Card number <input name="number" autocomplete="cc-number" required></label>
<button>Save card</button></form>
<p class="note">A page of the Stripe stand-in: 4242 4242 4242 4242 works, 4000 0027 6000 3184 asks the bank.</p>`;

const bankForm = `<h1>Your bank asks: is this you?</h1>
<form method="post"><button name="answer" value="confirm">Confirm</button>
<button name="answer" value="refuse">Refuse</button></form>
<p class="note">A page of the Stripe stand-in.</p>`;
