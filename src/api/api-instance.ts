import type {
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import type { AuditedRequest } from "../db/audit.ts";
import type { Permission, Resource, Verb } from "./access/permissions.ts";
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
    /**
     * Every route under /v1 says with a verb what it does, or with a resource and a verb where its path does not tell the resource.
     * `public` needs no caller, and `any` one of whatever rights.
     */
    scope?: Verb | `${Resource}:${Verb}` | "public" | "any";
    /** The cell of the matrix that it asks for; the API fills it in. */
    permission?: Permission;
    /** The codes this route may refuse with, beside those that every route shares. They are documented from here. */
    refusals?: readonly string[];
    /** For how long a key that was valid counts as valid without asking again; it is asked for each time when left out. */
    keyRememberedMs?: number;
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
    /** Set for a write that is in the audit trail. */
    audited: AuditedRequest | undefined;
  }
}
