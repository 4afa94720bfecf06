import type { components } from "./schema.ts";

/** A catalog as `PUT /v1/catalog` takes it and as a catalog file says it. */
export type CatalogDefinition = ReadonlyParts<components["schemas"]["CatalogDefinitionInput"]>;

/** What was written `as const` is taken as well. */
type ReadonlyParts<Part> = Part extends object
  ? { readonly [Name in keyof Part]: ReadonlyParts<Part[Name]> }
  : Part;

/**
 * A catalog in TypeScript, checked while it is written: `export default defineCatalog({ meters: […], plans: […] })`. The keys
 * of meters and plans stay literal types, so that code can be held to them.
 */
export function defineCatalog<const Catalog extends CatalogDefinition>(catalog: Catalog): Catalog {
  return catalog;
}
