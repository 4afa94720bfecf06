import type { components } from "./schema.ts";

/** A catalog as `PUT /v1/catalog` takes it and as a catalog file says it. */
export type CatalogDefinition = components["schemas"]["CatalogDefinitionInput"];

/**
 * A catalog in TypeScript, checked while it is written: `export default defineCatalog({ meters: […], plans: […] })`. The keys
 * of meters and plans stay literal types, so that code can be held to them.
 */
export function defineCatalog<const Catalog extends CatalogDefinition>(catalog: Catalog): Catalog {
  return catalog;
}
