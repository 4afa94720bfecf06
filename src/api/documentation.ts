import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import reference from "@scalar/fastify-api-reference";
import type { FastifySchema, RouteOptions } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { scopeOf } from "./access/permissions.ts";
import type { ApiInstance } from "./api-instance.ts";
import { isKeyed } from "./idempotency.ts";
import { callerUnknown, statusOf } from "./problem.ts";

const description = `
Usage billing that can be proved right: usage events come in, exact invoices come out, and every amount is in a ledger.

- **Keys.** Send \`Authorization: Bearer rk_…\`. A key has scopes: \`read\`, \`write\` (includes \`read\`), \`operate\` (runs and
  task queues; includes \`read\`), \`admin\` (all of these), \`approve\` (what others ask for; includes \`read\`); or for one
  resource alone, as in \`usage:write\` and \`invoices:read\`.
- **People** sign in and have a session, in a cookie; their roles say what they may do. Writes then carry \`X-CSRF-Token\`.
- **Rates.** Each caller may ask so often in a second; beyond it comes a 429 with \`Retry-After\`.
- **Versions.** \`/v1\` gains fields, values, routes and codes; it loses and changes none (docs/access.md).
- **Amounts** are texts of whole minor units beside a currency; quantities are exact decimals as texts. Never numbers.
- **Times** are ISO 8601 with a zone, answered in UTC. Periods are half-open: the end belongs to the next one.
- **Writes** by POST need an \`Idempotency-Key\`: a text of your choice that names this one write. Repeat it on retries and
  you get the first answer, for ever, with \`Idempotent-Replayed: true\`.
- **Lists** are pages: pass \`next_cursor\` on as \`cursor\` until it is null.
- **Errors** are \`application/problem+json\`. Branch on \`code\`; \`field\` names the input at fault.
- **Ids for support.** Every answer has an \`x-request-id\`; you may send your own.
`.trim();

/** Answers may gain fields in time, so only what is strict by itself, which is requests, refuses unknown ones. */
const zodToJsonConfig: NonNullable<Parameters<typeof createJsonSchemaTransform>[0]["zodToJsonConfig"]> = {
  override: ({ zodSchema, jsonSchema }) => {
    const { def } = zodSchema._zod;
    if (def.type === "object" && def.catchall === undefined) delete jsonSchema.additionalProperties;
  },
};
const jsonSchemaTransform = createJsonSchemaTransform({ zodToJsonConfig });
const jsonSchemaTransformObject = createJsonSchemaTransformObject({ zodToJsonConfig });

/** OpenAPI 3.1 at /openapi.json and a reference to read at /docs, from this server alone. */
export async function documentRoutes(api: ApiInstance): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Reckoner", version: "0.1.0", description },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          apiKey: {
            type: "http",
            scheme: "bearer",
            description: "An API key (rk_…), or a token for a customer's own pages (rp_…).",
          },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "__Host-reckoner_session",
            description: "Of a person.",
          },
        },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      return { url, schema: url.startsWith("/v1/") ? withSharedRules(schema, document.route) : schema };
    },
    transformObject: (document) => withoutUnusedSchemas(jsonSchemaTransformObject(document)),
  });
  api.get("/openapi.json", { schema: { hide: true } }, () => api.swagger());
  await api.register(reference, {
    routePrefix: "/docs",
    configuration: { pageTitle: "Reckoner API", withDefaultFonts: false, telemetry: false },
  });
}

const callerRefusals = [...callerUnknown, "too_many_requests"];
const rightsRefusals = ["scope_missing", "role_missing", "portal_refused"];

/** What holds for every route and is therefore not written at each: keys, headers, errors. */
function withSharedRules(schema: FastifySchema, { method, config }: RouteOptions): FastifySchema {
  const isPublic = config?.scope === "public";
  const keyed = isKeyed(method, config);
  const codes = [
    "request_invalid",
    ...(schema.body === undefined
      ? []
      : ["json_malformed", "body_missing", "body_too_large", "media_type_unsupported"]),
    ...(isPublic
      ? []
      : [
          ...callerRefusals,
          ...(config?.scope === "any" ? [] : rightsRefusals),
          ...(method === "GET" ? [] : ["csrf_token_invalid"]),
        ]),
    ...(keyed
      ? [
          "idempotency_key_missing",
          "idempotency_key_invalid",
          "idempotency_key_reused",
          "idempotency_in_progress",
        ]
      : []),
    ...(config?.refusals ?? []),
    "internal_error",
    "unavailable",
  ];
  return {
    ...schema,
    // The cell of the matrix of roles that it asks for (docs/access.md).
    ...(config?.permission === undefined ? {} : { "x-permission": scopeOf(config.permission) }),
    ...(isPublic ? {} : { security: [{ apiKey: [] }, { session: [] }] }),
    ...(keyed ? { headers: idempotencyHeader } : {}),
    response: { ...(schema.response as object), ...problemResponses(codes) },
  };
}

const idempotencyHeader = {
  type: "object",
  properties: {
    "Idempotency-Key": {
      type: "string",
      minLength: 1,
      maxLength: 255,
      description: "Names this write, for ever.",
    },
  },
  required: ["Idempotency-Key"],
};

/** One answer per status, which lists the codes it may carry. */
function problemResponses(codes: readonly string[]): Record<number, object> {
  const byStatus = Map.groupBy(codes, statusOf);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\``).join(", "),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}

type OpenApiDocument = ReturnType<SwaggerTransformObject>;

/** Schemas are registered once for requests and once for answers; most are used for one of the two. */
function withoutUnusedSchemas(document: OpenApiDocument): OpenApiDocument {
  if (!("components" in document)) return document;
  const { schemas = {}, ...components } = document.components ?? {};
  const used = new Set<string>();
  const follow = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow(document.paths);
  const kept = Object.fromEntries([...used].toSorted().map((name) => [name, schemas[name]]));
  return { ...document, components: { ...components, schemas: kept } } as OpenApiDocument;
}
