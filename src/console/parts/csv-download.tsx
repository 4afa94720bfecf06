import { Button } from "@mantine/core";
import { csvText } from "../format/csv-text.ts";

interface CsvDownloadProps {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Saves what a table shows as a file for spreadsheets. */
export function CsvDownload({ name, header, rows }: CsvDownloadProps) {
  const save = () => {
    const address = URL.createObjectURL(new Blob([csvText([header, ...rows])], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name}.csv`;
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <Button variant="default" size="compact-sm" onClick={save} aria-label={`Download ${name} as CSV`}>
      CSV
    </Button>
  );
}
