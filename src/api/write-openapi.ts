import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openApiText } from "./openapi.ts";

/** Writes docs/openapi.json, from which the SDK's types are generated. Needs no database. */
const file = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));
await mkdir(new URL("../../docs", import.meta.url), { recursive: true });
await writeFile(file, await openApiText());
process.stdout.write("docs/openapi.json is written\n");
