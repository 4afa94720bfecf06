import { z } from "zod";
import { catalogSchema } from "../domain/catalog/schema.ts";
import { snakeCase } from "./field-names.ts";
import { catalogInput } from "./routes/catalog-schemas.ts";

/**
 * The JSON Schema of catalog files, for editors: what the domain demands of each value, under the names that files have, with
 * the descriptions of the API's document. What one part owes to another is checked by `reckoner catalog plan`.
 */
export function catalogJsonSchemaText(): string {
  const described = z.toJSONSchema(catalogInput, options) as Node;
  const demanded = z.toJSONSchema(catalogSchema, options) as Node;
  const { $schema, ...schema } = merged(demanded, described, described.definitions ?? {});
  const document = { $schema, title: "Reckoner catalog", ...schema };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** Draft 7 is what editors of YAML know. */
const options: Parameters<typeof z.toJSONSchema>[1] = {
  target: "draft-7",
  io: "input",
  unrepresentable: "any",
  override: ({ zodSchema, jsonSchema }) => {
    // The one value that is checked by a function: a currency.
    if (zodSchema._zod.def.type === "custom")
      Object.assign(jsonSchema, { type: "string", pattern: "^[a-z]{3}$" });
  },
};

/** The parts of a JSON Schema that lead to others, and those that explain. */
interface Node {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Node>>;
  readonly description?: string;
  readonly example?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

type Definitions = Readonly<Record<string, Node>>;

function merged(demanded: Node, reference: Node | undefined, definitions: Definitions): Node {
  const described = resolved(reference, definitions);
  const { properties, required, items, anyOf, oneOf, ...own } = demanded;
  const { description, example } = { ...described, ...reference };
  const part = (node: Node, counterpart: Node | undefined) => merged(node, counterpart, definitions);
  const choices = described?.oneOf ?? described?.anyOf;
  const choice = (nodes: readonly Node[]) =>
    nodes.map((node, index) => part(node, counterpartOf(node, index, choices ?? [], definitions)));
  return {
    ...own,
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { examples: [example] }),
    ...(properties === undefined ? {} : { properties: named(properties, described, part) }),
    ...(required === undefined ? {} : { required: required.map(snakeCase) }),
    ...(items === undefined ? {} : { items: part(items, described?.items) }),
    ...(anyOf === undefined ? {} : { anyOf: choice(anyOf) }),
    ...(oneOf === undefined ? {} : { oneOf: choice(oneOf) }),
  };
}

function named(
  properties: NonNullable<Node["properties"]>,
  described: Node | undefined,
  part: (node: Node, counterpart: Node | undefined) => Node,
): NonNullable<Node["properties"]> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, node]) => {
      const written = snakeCase(name);
      return [written, part(node, described?.properties?.[written])];
    }),
  );
}

/** Of several forms the one with the same `type`; where they have none, the one in the same place. */
function counterpartOf(
  { properties }: Node,
  index: number,
  choices: readonly Node[],
  definitions: Definitions,
): Node | undefined {
  const type = properties?.type?.const;
  if (type === undefined) return choices[index];
  return choices.find((choice) => resolved(choice, definitions)?.properties?.type?.const === type);
}

function resolved(node: Node | undefined, definitions: Definitions): Node | undefined {
  const name = node?.$ref?.replace("#/definitions/", "");
  return name === undefined ? node : definitions[name];
}
