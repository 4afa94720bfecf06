import { htmlText as text } from "../../domain/html-text.ts";
import type {
  DocumentGroup,
  DocumentLine,
  DocumentParty,
  InvoiceDocument,
} from "../../domain/invoicing/document/index.ts";
import { documentStyle } from "./document-style.ts";

/** A document as one HTML page: everything in it, nothing fetched, made for paper as well as for a phone. */
export function documentHtml(document: InvoiceDocument): string {
  const { title, number, seller } = document;
  const name = number === null ? title : `${title} ${number}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${text(seller === null ? name : `${name} · ${seller.name}`)}</title>
<style>${documentStyle}</style>
</head>
<body>
<main class="sheet">
<header class="head">
${seller === null ? "<div></div>" : `<div class="seller">${party(seller, "seller-name")}</div>`}
<div class="title"><h1>${text(title)}</h1>${number === null ? "" : `<p>${text(number)}</p>`}</div>
</header>
<section class="about">
<div><h2>Billed to</h2>${party(document.customer, "customer-name")}</div>
<dl>${document.particulars.map(({ name: key, text: value }) => `<div><dt>${text(key)}</dt><dd>${text(value)}</dd></div>`).join("")}</dl>
</section>
<section class="headline" aria-label="${text(document.headline.name)}">
<div><p>${text(document.headline.name)}</p><strong>${text(document.headline.text)}</strong></div>
${document.state === null ? "" : `<span class="state ${document.state.tone}">${text(document.state.text)}</span>`}
</section>
${document.groups.map(group).join("\n")}
<section class="sums" aria-label="Sum"><table><tbody>
${document.sums.map(({ name: key, amount, isStrong }) => `<tr${isStrong ? ' class="strong"' : ""}><th scope="row">${text(key)}</th><td>${text(amount)}</td></tr>`).join("\n")}
</tbody></table></section>
${list(document.notes)}
${document.footer === null ? "" : `<footer>${text(document.footer)}</footer>`}
</main>
</body>
</html>
`;
}

function party({ name, lines }: DocumentParty, className: string): string {
  return `<address><strong class="${className}">${text(name)}</strong>${lines.map((line) => `<span>${text(line)}</span>`).join("")}</address>`;
}

function group({ heading, title, lines, sum }: DocumentGroup): string {
  return `<section class="group">
${heading === null ? "" : `<h2>${text(heading)}</h2>`}
<table>
<caption>${text(title)}</caption>
<thead><tr><th scope="col">Description</th><th scope="col" class="number">Quantity</th><th scope="col" class="number">Unit price</th><th scope="col" class="number">Amount</th></tr></thead>
${lines.map(line).join("\n")}
${lines.length === 1 ? "" : `<tfoot><tr><th scope="row" colspan="3">${text(title)}</th><td class="number">${text(sum)}</td></tr></tfoot>`}
</table>
</section>`;
}

/** A line and what belongs to it are one body of the table: they are not torn apart on paper. */
function line({ title, period, quantity, unitPrice, amount, tiers, notes }: DocumentLine): string {
  const small = [period, ...notes].filter((each) => each !== null);
  return `<tbody>
<tr><th scope="row">${text(title)}${small.map((each) => `<small>${text(each)}</small>`).join("")}</th>${cell("Quantity", quantity)}${cell("Unit price", unitPrice)}${cell("Amount", amount)}</tr>
${tiers
  .map(
    (tier) =>
      `<tr class="tier"><th scope="row">${text(tier.title)}</th>${cell("Quantity", tier.quantity)}${cell("Unit price", tier.unitPrice)}${cell("Amount", tier.amount)}</tr>`,
  )
  .join("\n")}
</tbody>`;
}

/** On a phone, where the columns' heads are not shown, each number says what it is. */
function cell(name: string, value: string | null): string {
  return value === null
    ? '<td class="number none"></td>'
    : `<td class="number" data-name="${text(name)}">${text(value)}</td>`;
}

function list(notes: readonly string[]): string {
  if (notes.length === 0) return "";
  return `<ul class="notes">${notes.map((note) => `<li>${text(note)}</li>`).join("")}</ul>`;
}
