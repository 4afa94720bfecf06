import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { Histogram } from "prom-client";
import type { ApiInstance } from "./api-instance.ts";
import { callerOf } from "./authentication.ts";
import type { ApiDependencies, CommandContext } from "./dependencies.ts";

/** The caller's id for this request when it can be logged as it is, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** What a handler passes on with a command, so that logs of workflows and activities carry the request's id. */
export function contextOf(request: FastifyRequest): CommandContext {
  return { correlationId: request.id, actor: callerOf(request).actor };
}

/** Measures each request and writes one line for it: where it went and how long it took, never what it said. */
export function observeRequests(api: ApiInstance, { metrics }: Pick<ApiDependencies, "metrics">): void {
  const duration = new Histogram({
    name: "reckoner_http_request_duration_seconds",
    help: "Time from the request's arrival to the end of its answer.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });
  api.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  api.addHook("onResponse", async (request, { statusCode, elapsedTime }) => {
    // The path as written in the code: ids in labels would make a time series for each customer.
    const route = request.routeOptions.url ?? "unknown";
    duration.observe({ method: request.method, route, status: statusCode }, elapsedTime / 1000);
    const line = { method: request.method, route, status: statusCode, ms: Math.round(elapsedTime) };
    const { isFrequent = !route.startsWith("/v1/") } = request.routeOptions.config;
    const level = isFrequent && statusCode < 400 ? "debug" : "info";
    request.log[level]({ ...line, actor: request.caller?.actor }, "request");
  });
}
