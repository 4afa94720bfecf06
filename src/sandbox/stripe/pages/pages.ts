import type { HttpReply } from "../http/api.ts";
import { shownAmount } from "../payments/currencies.ts";
import { linesOf } from "../resources/render.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import type { Invoice, InvoiceItem, Kind } from "../state/objects.ts";
import { cardPage } from "./card-pages.ts";
import { confirmationPage } from "./confirmation.ts";
import { escapeHtml, htmlReply as html } from "./html.ts";

const counted: readonly Kind[] = [
  "customer",
  "payment_method",
  "invoice",
  "payment_intent",
  "charge",
  "refund",
  "event",
  "delivery",
];

/** `/`, `/invoice/{token}` and what forms lead to, for people; anything else is nothing of ours. */
export function pageFor(
  request: { readonly method: string; readonly path: string; readonly body: string },
  accounts: Accounts,
): HttpReply | undefined {
  const { method, path } = request;
  if (method !== "GET" && method !== "POST") return undefined;
  const form = confirmationPage(request, accounts) ?? cardPage(request, accounts);
  if (form !== undefined || method === "POST") return form;
  if (path === "/") return html(200, "Stripe stand-in", overview(accounts));
  const token = /^\/invoice\/(?<account>acct_\w+?)_(?<token>\w+)$/.exec(path)?.groups;
  if (token === undefined) return undefined;
  const account = accounts.all().find(({ id }) => id === token.account);
  const invoice = account && invoiceByToken(account, token.token ?? "");
  if (!account || !invoice) return html(404, "No such invoice", "<h1>There is no such invoice.</h1>");
  const lines = accounts.transact(account, (tx) => linesOf(tx, invoice.id));
  return html(200, `Invoice ${invoice.number ?? invoice.id}`, invoicePage(invoice, lines));
}

function overview(accounts: Accounts): string {
  const sections = accounts.all().map((account) => {
    const rows = counted.map(
      (kind) => `<tr><td>${kind}</td><td class="amount">${account.rows(kind).size}</td></tr>`,
    );
    const time = new Date(account.now() * 1000).toISOString();
    return `<h2>${account.id}</h2><p class="note">Its time is ${time}.</p><table>${rows.join("")}</table>`;
  });
  const nothing = "<p>No account has been used yet. Every test key opens its own.</p>";
  return `<h1>Stripe stand-in</h1>
<p>This process answers as Stripe's API does. No money moves.</p>
${sections.join("") || nothing}`;
}

function invoiceByToken(account: Account, token: string): Invoice | undefined {
  for (const invoice of account.rows("invoice").newestFirst()) {
    if (invoice.hosted_token === token && invoice.status !== "draft") return invoice;
  }
  return undefined;
}

function invoicePage(invoice: Invoice, lines: readonly InvoiceItem[]): string {
  const { currency } = invoice;
  const rows = lines.map(
    (line) =>
      `<tr><td>${escapeHtml(line.description ?? "")}</td><td>${serviceDays(line)}</td>` +
      `<td class="amount">${shownAmount(line.amount, currency)}</td></tr>`,
  );
  const sum = (label: string, amount: number) =>
    `<tr><th colspan="2">${label}</th><td class="amount">${shownAmount(amount, currency)}</td></tr>`;
  return `<h1>Invoice ${escapeHtml(invoice.number ?? "")}</h1>
<p>${escapeHtml(invoice.customer_name ?? invoice.customer)} <span class="status">${invoice.status}</span></p>
<p class="note">${escapeHtml(invoice.description ?? "")}</p>
<table><tr><th>Description</th><th>Period</th><th class="amount">Amount</th></tr>
${rows.join("\n")}
${sum("Total", invoice.total)}${sum("Due", invoice.amount_due)}${sum("Paid", invoice.amount_paid)}</table>
<p class="note">A page of the Stripe stand-in. No money moves.</p>`;
}

function serviceDays({ period }: InvoiceItem): string {
  const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
  return period.start === period.end ? day(period.start) : `${day(period.start)} to ${day(period.end)}`;
}
