import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import { type PayloadKey, payloadCodec } from "./payload-codec.ts";

/**
 * How what is said to workflows is written: encrypted where there are keys, failures included; plain where there are none,
 * except that what was encrypted names the key that is missing.
 */
export function dataConverterOf(keys: readonly PayloadKey[] = []): DataConverter {
  return {
    payloadCodecs: [payloadCodec(keys)],
    ...(keys.length === 0
      ? {}
      : { failureConverterPath: fileURLToPath(new URL("./encoded-failures.ts", import.meta.url)) }),
  };
}

/** What a log says at the start of a program about what Temporal's database gets to see. */
export function payloadsText(keys: readonly PayloadKey[] = []): string {
  const [active, ...older] = keys;
  if (active === undefined)
    return "plain: whoever reads Temporal's database reads them (TEMPORAL_PAYLOAD_KEYS)";
  const others = older.length === 0 ? "" : `, and read with ${older.map(({ id }) => id).join(", ")} too`;
  return `encrypted with the key ${active.id}${others}`;
}
