import { completeAuthentication, failAuthentication } from "../control/bank.ts";
import type { HttpReply } from "../http/api.ts";
import { shownAmount } from "../payments/currencies.ts";
import type { Accounts } from "../state/accounts.ts";
import type { PaymentIntent } from "../state/objects.ts";
import { escapeHtml, htmlReply, redirect } from "./html.ts";

/** `/authenticate/{intent}`, a bank's page: the customer confirms a payment or does not, and goes back to where they came from. */
export function confirmationPage(
  request: { readonly method: string; readonly path: string; readonly body: string },
  accounts: Accounts,
): HttpReply | undefined {
  const named = /^\/authenticate\/(?<account>acct_[0-9a-f]+)_(?<intent>pi_\w+)$/.exec(request.path)?.groups;
  if (named === undefined) return undefined;
  const account = accounts.all().find(({ id }) => id === named.account);
  const intent = account?.rows("payment_intent").get(named.intent ?? "");
  if (account === undefined || intent === undefined) return nothing();
  if (request.method === "GET") return htmlReply(200, "Confirm a payment", page(intent));
  if (intent.status !== "requires_action") return nothing();
  const isConfirmed = new URLSearchParams(request.body).get("answer") === "confirm";
  accounts.transact(account, (tx) =>
    isConfirmed ? completeAuthentication(tx, intent.id) : failAuthentication(tx, intent.id),
  );
  return intent.next_action?.type === "redirect_to_url"
    ? redirect(intent.next_action.redirect_to_url.return_url)
    : htmlReply(200, "Thank you", "<h1>Thank you. You can close this page.</h1>");
}

function nothing(): HttpReply {
  return htmlReply(404, "Nothing to confirm", "<h1>There is nothing to confirm here.</h1>");
}

function page({ status, amount, currency, description }: PaymentIntent): string {
  const what = `<p>${escapeHtml(description ?? "A payment")}: <b>${shownAmount(amount, currency)}</b></p>`;
  if (status !== "requires_action") return `<h1>Nothing to confirm</h1>${what}<p>It is ${status}.</p>`;
  return `<h1>Your bank asks: is this you?</h1>${what}
<form method="post"><button name="answer" value="confirm">Confirm</button>
<button name="answer" value="refuse">Refuse</button></form>
<p class="note">A page of the Stripe stand-in. No money moves.</p>`;
}
