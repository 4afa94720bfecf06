import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../config.ts";
import { invariant } from "../../domain/errors.ts";

/** One request to a production code-completion service, as it was recorded. */
export interface TraceRequest {
  /** 0 for the first request of the file. */
  readonly index: number;
  /** In units of 100 nanoseconds since 1970: the file's own resolution. */
  readonly ticks: bigint;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export const traceFile = join(projectFolder, "data", "llm-code-trace-2023.csv");

const header = "TIMESTAMP,ContextTokens,GeneratedTokens";
const row = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}\.\d{3})(\d{4}),(\d+),(\d+)$/;

/** The requests of the trace, in their order in time. Where the file comes from: data/README.md. */
export function readTrace(file = traceFile): TraceRequest[] {
  const [first, ...lines] = readFileSync(file, "utf8").trimEnd().split(/\r?\n/);
  invariant(first === header, `${file} starts with ${header}`);
  return lines.map((line, index) => {
    const parts = row.exec(line);
    invariant(parts, `line ${index + 2} of ${file} is a request`);
    const [, date, time, belowMs = "", input, output] = parts;
    const epochMs = Date.parse(`${date}T${time}Z`);
    return {
      index,
      ticks: BigInt(epochMs) * 10_000n + BigInt(belowMs),
      inputTokens: Number(input),
      outputTokens: Number(output),
    };
  });
}
