import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from "hyparquet";
import { fileWriter, ParquetWriter } from "hyparquet-writer";

/** A usage event as it is archived: a row of a Parquet file. */
export interface ArchivedEvent {
  readonly seq: bigint;
  /** Microseconds since 1970, as are all instants here. */
  readonly time: bigint;
  readonly recorded_at: bigint;
  /** The transaction that wrote it, which rating runs tell what they saw by. */
  readonly recorded_xid: bigint;
  /** The customer's id. */
  readonly customer: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  /** JSON as it was sent: no number of it is rounded. */
  readonly data: string;
  /** What each version of a meter made of it, lists of equal length: `tokens@2`, */
  readonly meters: readonly string[];
  /** canonical JSON, */
  readonly dimensions: readonly string[];
  /** exact decimals, */
  readonly quantities: readonly string[];
  /** and, of meters that count values, the value. Empty when none of them does. */
  readonly distinct_values: readonly (string | null)[];
}

/** Changes with the columns. */
export const archiveFormat = "reckoner-usage-events/1";

const whole = (name: keyof ArchivedEvent): SchemaElement[] => [
  { name, type: "INT64", repetition_type: "REQUIRED" },
];

const instant = (name: keyof ArchivedEvent): SchemaElement[] => [
  {
    name,
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
    repetition_type: "REQUIRED",
  },
];

const text = (
  name: string,
  repetition: SchemaElement["repetition_type"] = "REQUIRED",
): [SchemaElement, ...SchemaElement[]] => [
  { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: repetition ?? "REQUIRED" },
];

const list = (name: keyof ArchivedEvent, element = text("element")): SchemaElement[] => [
  { name, converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...element,
];

const columns: Readonly<Record<keyof ArchivedEvent, SchemaElement[]>> = {
  seq: whole("seq"),
  time: instant("time"),
  recorded_at: instant("recorded_at"),
  recorded_xid: whole("recorded_xid"),
  customer: text("customer"),
  type: text("type"),
  source: text("source"),
  id: text("id"),
  data: text("data"),
  meters: list("meters"),
  dimensions: list("dimensions"),
  quantities: list("quantities"),
  distinct_values: list("distinct_values", text("element", "OPTIONAL")),
};
const names = Object.keys(columns) as (keyof ArchivedEvent)[];
const schema = [{ name: "event", num_children: names.length }, ...Object.values(columns).flat()];

export interface EventFileWriter {
  /** A row group: events are held in memory until it is written. */
  write(events: readonly ArchivedEvent[]): Promise<void>;
  finish(): Promise<void>;
}

/** Writes a Parquet file, compressed by zstd. The same events make the same bytes. */
export function writeEventFile(path: string): EventFileWriter {
  const compressors = { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) };
  const parquet = new ParquetWriter({
    writer: fileWriter(path),
    schema,
    codec: "ZSTD",
    compressors,
    createdBy: "reckoner",
    kvMetadata: [{ key: "format", value: archiveFormat }],
  });
  return {
    async write(events) {
      const columnData = names.map((name) => ({ name, data: events.map((event) => event[name]) }));
      await parquet.write({ columnData, rowGroupSize: events.length });
    },
    async finish() {
      await parquet.finish();
    },
  };
}

/** The events of a file in their order, a row group at a time. */
export async function* readEventFile(file: AsyncBuffer): AsyncGenerator<ArchivedEvent[]> {
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({
      file,
      metadata,
      rowStart,
      rowEnd,
      compressors: { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) },
      parsers: { timestampFromMicroseconds: (micros: bigint) => micros },
    });
    yield rows as unknown as ArchivedEvent[];
    rowStart = rowEnd;
  }
}
