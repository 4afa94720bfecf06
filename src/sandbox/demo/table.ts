/** Columns are aligned left, or right where the heading starts with ">"; a row of null is a rule. */
export function table(headings: readonly string[], rows: readonly (readonly string[] | null)[]): string {
  const isRight = headings.map((heading) => heading.startsWith(">"));
  const head = headings.map((heading) => heading.replace(/^>/, ""));
  const widths = head.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row?.[column]?.length ?? 0)),
  );
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isRight[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [lineOf(head), rule, ...rows.map((row) => (row === null ? rule : lineOf(row)))]
    .map((line) => `  ${line}`)
    .join("\n");
}
