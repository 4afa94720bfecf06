import type {
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import type { Scope } from "../db/access.ts";
import type { Caller } from "./authentication.ts";
import type { KeyedWrite } from "./idempotency.ts";

/** The Fastify instance that routes are added to: zod schemas in, typed requests out. */
export type ApiInstance = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  Logger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route under /v1 says what its caller's key must allow; `public` needs no key. */
    scope?: Scope | "public";
    /** The codes this route may refuse with, beside those that every route shares. They are documented from here. */
    refusals?: readonly string[];
    /** Asked for so often that metrics alone tell of what went well; its refusals are logged as everywhere. */
    isFrequent?: boolean;
    /** On a POST that is safe to repeat without an Idempotency-Key. */
    repeatable?: boolean;
    /** Fields of the answer that are shown once: they are kept as null, and null is what a repetition gets. */
    shownOnce?: readonly string[];
  }

  interface FastifyRequest {
    /** Who calls; undefined on routes that are public. Handlers use `callerOf`. */
    caller: Caller | undefined;
    /** Set for a write under an Idempotency-Key. */
    idempotency: KeyedWrite | undefined;
  }
}
