import { writeFile } from "node:fs/promises";
import { catalogJsonSchemaText } from "./catalog-json-schema.ts";
import { openApiText } from "./openapi.ts";

/** Writes docs/openapi.json, from which the SDK's types are generated, and the schema of catalog files. Needs no database. */
const documents = { "openapi.json": await openApiText(), "catalog.schema.json": catalogJsonSchemaText() };
for (const [name, text] of Object.entries(documents)) {
  await writeFile(new URL(`../../docs/${name}`, import.meta.url), text);
  process.stdout.write(`docs/${name} is written\n`);
}
