/** Reads CSV by the letter of RFC 4180; throws for anything else. It shares nothing with what writes it. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [cell, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
    row.push(cell);
    if (text[end] === ",") {
      at = end + 1;
      // A comma at the end of a line has an empty cell after it.
      if (at < text.length) continue;
    }
    if (text.slice(end, end + 2) !== "\r\n") throw new SyntaxError(`no end of line at ${end}`);
    rows.push(row);
    row = [];
    at = end + 2;
  }
  return rows;
}

function plain(text: string, from: number): readonly [string, number] {
  const [cell = ""] = /^[^",\r\n]*/.exec(text.slice(from, from + 100_000)) ?? [];
  return [cell, from + cell.length];
}

function quoted(text: string, from: number): readonly [string, number] {
  let cell = "";
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new SyntaxError(`no closing quote for ${from}`);
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [cell, quote + 1];
    cell += '"';
    at = quote + 2;
  }
}

/** The rows as objects, named by the header. */
export function readCsvTable(text: string): Record<string, string>[] {
  const [header = [], ...rows] = readCsv(text);
  return rows.map((row) => {
    if (row.length !== header.length) throw new SyntaxError(`a row has ${row.length} cells`);
    return Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""]));
  });
}
