import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import proto from "@temporalio/proto";

const { History } = proto.temporal.api.history.v1;
type History = ReturnType<typeof History.create>;

/** One folder for each released version; what was recorded once is never recorded again. */
export const historiesFolder = join(import.meta.dirname, "histories");

/** What tells where it was recorded and decides nothing in a replay. */
const placeKeys = ["identity", "stackTrace", "binaryChecksum"];

/** A history as a file: one event a line, without the machine that it comes from. */
export function textOfHistory(history: object): string {
  const { events } = JSON.parse(JSON.stringify(history), (key, value) =>
    placeKeys.includes(key) ? "" : withoutMachine(value),
  ) as { events: unknown[] };
  return `{"events":[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]}\n`;
}

/** A worker's own queue is called after its process and host. */
function withoutMachine(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^\d+@[^\s]+-([0-9a-f]{32})$/, "sticky-$1") : value;
}

export interface RecordedHistory {
  readonly version: string;
  readonly name: string;
  readonly history: History;
}

export function recordedHistories(): RecordedHistory[] {
  return readdirSync(historiesFolder).flatMap((version) =>
    readdirSync(join(historiesFolder, version)).map((file) => ({
      version,
      name: file.replace(/\.json$/, ""),
      history: History.fromObject(JSON.parse(readFileSync(join(historiesFolder, version, file), "utf8"))),
    })),
  );
}
