import type {
  InvoiceFinding,
  InvoicesVerification,
  UnknownInvoice,
} from "../db/billing/invoice-verification.ts";

const findingsShownMax = 100;

/** For people: a line for each difference, then what was derived and what could not be. */
export function invoicesAsText({ derived, lines, findings, unknown }: InvoicesVerification): string {
  const more = findings.length - findingsShownMax;
  return [
    ...findings.slice(0, findingsShownMax).map(findingAsText),
    ...(more > 0 ? [`… and ${more} more; --json has them all`] : []),
    ...unknown.map(unknownAsText),
    ...(findings.length + unknown.length === 0 ? [] : [""]),
    `${derived} invoices with ${lines} lines were derived again from their facts.`,
    ...(unknown.length === 0 ? [] : [`${unknown.length} could not be: nothing is known of them.`]),
    findings.length === 0
      ? "Each is, byte for byte, what its facts make it."
      : `Not all are what their facts make them. Differences: ${findings.length}.`,
  ].join("\n");
}

/** `ACME-0002 (inv_1), line 2 amount_minor: is 500 and should be 400` */
export function findingAsText({ invoice, number, what, found, expected }: InvoiceFinding): string {
  return `${number} (${invoice}), ${what}: is ${found} and should be ${expected}`;
}

const unknownAsText = ({ invoice, number, reason }: UnknownInvoice): string =>
  `${number} (${invoice}) cannot be derived again: ${reason}`;

/** For programs. */
export function invoicesAsJson(verification: InvoicesVerification): string {
  return JSON.stringify({ holds: verification.findings.length === 0, ...verification }, null, 2);
}
