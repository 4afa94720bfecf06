/** CSV as RFC 4180 has it: commas, quotes where they are needed, a CRLF after every line. The text is to be sent as UTF-8. */

/** Signs that make a spreadsheet take a cell for a formula, or that it drops so that the next one does; in both widths. */
const formulaStart = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/**
 * A text from outside, made harmless: an apostrophe goes in front of what a spreadsheet would take for a formula. It goes
 * in front of an apostrophe too, so that taking the first apostrophe away always gives the text back.
 */
export function harmlessText(text: string): string {
  return formulaStart.test(text) || text.startsWith("'") ? `'${text}` : text;
}

/** One line with its end. Nothing is made harmless here: see {@link harmlessText}. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quotedWhereNeeded).join(",")}\r\n`;
}

function quotedWhereNeeded(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
