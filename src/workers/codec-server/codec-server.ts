import type { Payload } from "@temporalio/common";
import Fastify, { LogController } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import { z } from "zod";
import type { ApiInstance } from "../../api/api-instance.ts";
import { authenticate } from "../../api/authentication.ts";
import type { ApiDependencies } from "../../api/dependencies.ts";
import { handleErrors } from "../../api/error-handler.ts";
import { RequestRefusedError } from "../../api/refusals.ts";
import { validatorCompiler } from "../../api/validation.ts";
import { type PayloadKey, PayloadKeyUnknownError, payloadCodec } from "../../temporal/payload-codec.ts";
import { browserSessions } from "./browser-session.ts";

export interface CodecServerParts extends Pick<ApiDependencies, "db" | "now"> {
  readonly logger: Logger;
  readonly payloadKeys: readonly PayloadKey[];
  /** Whose pages may ask, for example `http://localhost:8233`. */
  readonly origins: readonly string[];
}

/** As protobuf is written in JSON: bytes are base64. */
const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const payloadsBody = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), bytes).default({}), data: bytes.nullish() })),
});
/** A history page of the UI asks for all of its payloads at once. */
const bodyBytesMax = 16 * 1_048_576;

/**
 * Temporal's remote codec: `POST /decode` and `POST /encode` with `{ payloads }`, for callers whose API key has the scope
 * `operate`. A program sends the key as a bearer token; a browser, which asks from the Temporal UI, signs in once at `/`.
 */
export async function buildCodecServer(parts: CodecServerParts): Promise<ApiInstance> {
  const { logger, origins } = parts;
  const server: ApiInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
  });
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  handleErrors(server);
  letPagesAsk(server, origins);
  browserSessions(server);
  authenticate(server, parts);
  codecRoutes(server, parts.payloadKeys);
  server.get("/healthz", () => ({ status: "ok" }));
  await server.ready();
  return server;
}

/** Pages of the named origins may ask, with their cookies; a preflight carries none, and is answered to anybody. */
function letPagesAsk(server: ApiInstance, origins: readonly string[]): void {
  server.addHook("onRequest", async ({ method, headers }, reply) => {
    const { origin } = headers;
    if (origin === undefined || !origins.includes(origin)) return;
    reply.headers({
      vary: "Origin",
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "authorization, content-type, x-namespace, caller-type",
      "access-control-max-age": "600",
    });
    if (method === "OPTIONS") return reply.code(204).send();
  });
  server.options("/*", (_request, reply) => reply.code(204).send());
}

function codecRoutes(server: ApiInstance, keys: readonly PayloadKey[]): void {
  const codec = payloadCodec(keys);
  for (const direction of ["encode", "decode"] as const) {
    server.post(
      `/${direction}`,
      { config: { scope: "operations:operate", repeatable: true }, schema: { body: payloadsBody } },
      async (request) => {
        const payloads = request.body.payloads.map(({ metadata, data = null }) => ({ metadata, data }));
        try {
          return { payloads: (await codec[direction](payloads)).map(textOfPayload) };
        } catch (error) {
          throw new RequestRefusedError("payload_undecodable", reasonOf(error));
        }
      },
    );
  }
}

/** What decryption itself says of damaged bytes helps nobody. */
const reasonOf = (error: unknown): string =>
  error instanceof PayloadKeyUnknownError ? error.message : "the payload was changed, or is not one of ours";

function textOfPayload({ metadata, data }: Payload) {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return { metadata: Object.fromEntries(fields), data: base64(data ?? new Uint8Array()) };
}

const base64 = (value: Uint8Array): string => Buffer.from(value).toString("base64");
