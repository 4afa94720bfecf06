import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { sqlState } from "../db/database.ts";
import { isConnectionLost } from "../db/lost-connection.ts";
import { UsageCorrectionRefusedError } from "../domain/corrections/index.ts";
import { BillingError } from "../domain/errors.ts";
import type { ApiInstance } from "./api-instance.ts";
import { type Problem, problem, problemMediaType } from "./problem.ts";
import { RequestRefusedError } from "./refusals.ts";

/** What Fastify refuses by itself, in our words. */
const frameworkRefusals: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [
    "json_malformed",
    "the body is not valid JSON: check quotes, commas and brackets",
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["body_missing", "this request needs a JSON body, and the body is empty"],
  FST_ERR_CTP_BODY_TOO_LARGE: [
    "body_too_large",
    "the body is larger than this route takes: send less at once",
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    "media_type_unsupported",
    "send the body as Content-Type: application/json",
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["request_invalid", "Content-Length and the length of the body differ"],
  FST_ERR_BAD_URL: ["request_invalid", "the path holds a wrong percent-encoding"],
};

/** Makes every error of every route, known or not, an answer in one shape. */
export function handleErrors(api: ApiInstance): void {
  const methodsAt = methodsByPath(api);
  api.setErrorHandler<Error>((error, request, reply) => {
    // A method that is there nowhere is asked for a body before it is looked for.
    const isNowhere = (error as FastifyError).code === "FST_ERR_ROUTE_MISSING_CONTENT_TYPE";
    return sendProblem(reply, isNowhere ? notThere(request, reply, methodsAt) : problemOf(error, request));
  });
  api.setNotFoundHandler((request, reply) => sendProblem(reply, notThere(request, reply, methodsAt)));
}

/** What Fastify refuses before it has a route, such as a wrong percent-encoding. */
export const refuseUnread = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void =>
  void sendProblem(reply, problemOf(error, request));

/** Nothing is there at all, or it is not asked for by a method that it has. */
function notThere(request: FastifyRequest, reply: FastifyReply, methodsAt: MethodsAt): Problem {
  const path = request.url.split("?", 1)[0] ?? "";
  const methods = methodsAt(path);
  if (methods.length > 0) {
    const allowed = methods.toSorted().join(", ");
    reply.header("allow", allowed);
    return problem(
      "method_not_allowed",
      `${path} is there for ${allowed}, not for ${request.method}`,
      request.id,
    );
  }
  return problem("route_not_found", `there is no ${request.method} ${path}: see /docs`, request.id);
}

type MethodsAt = (path: string) => readonly string[];

function methodsByPath(api: ApiInstance): MethodsAt {
  const routes: { readonly form: RegExp; readonly methods: readonly string[] }[] = [];
  api.addHook("onRoute", ({ url, method }) => {
    if (!url.startsWith("/v1/")) return;
    const form = new RegExp(`^${url.replaceAll(".", "\\.").replace(/:[a-z_]+/g, "[^/]+")}/?$`);
    routes.push({ form, methods: [method].flat() });
  });
  return (path) => [...new Set(routes.flatMap(({ form, methods }) => (form.test(path) ? methods : [])))];
}

export function sendProblem(reply: FastifyReply, answer: Problem): FastifyReply {
  if (answer.status === 401) reply.header("www-authenticate", "Bearer");
  const isPassing = [429, 503].includes(answer.status) || answer.code === "idempotency_in_progress";
  if (isPassing && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
  return reply
    .code(answer.status)
    .type(problemMediaType)
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(answer);
}

function problemOf(error: Error, request: FastifyRequest): Problem {
  if (error instanceof UsageCorrectionRefusedError) {
    const refusals = error.refusals.map(({ refusal: { code, message, field }, ...event }) => ({
      ...event,
      code,
      detail: message,
      ...(field === undefined ? {} : { field }),
    }));
    return { ...problem(error.code, error.message, request.id), refusals };
  }
  if (error instanceof RequestRefusedError && error.faults.length > 1) {
    return { ...problem(error.code, error.message, request.id, error.field), faults: [...error.faults] };
  }
  if (error instanceof BillingError) return problem(error.code, error.message, request.id, error.field);
  const refusal = frameworkRefusals[(error as FastifyError).code];
  if (refusal) return problem(...refusal, request.id);
  if (isOutage(error)) {
    request.log.error({ err: error }, "the database cannot be reached");
    return problem("unavailable", "Reckoner cannot reach its database: try again in a moment", request.id);
  }
  request.log.error({ err: error }, "unexpected error");
  return problem(
    "internal_error",
    "something went wrong here; it is logged under the request id",
    request.id,
  );
}

/** The database is away or restarting: nothing is wrong with the request, and the same request will work later. */
function isOutage(error: Error): boolean {
  // 53300: no connection is free. ENOENT: the socket that it listens at is not there.
  return isConnectionLost(error) || sqlState(error) === "53300" || codesOf(error).includes("ENOENT");
}

/** Of an error and of what caused it. */
function codesOf(error: Error): unknown[] {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return cause instanceof Error ? [code, ...codesOf(cause)] : [code];
}
