import type { z } from "zod";
import type { Environment } from "../config.ts";
import { ConfigurationError, type Problem } from "./configuration-error.ts";
import { secretVariables } from "./variables.ts";

/** The values of a part's variables. An empty one counts as not set, so that `NAME=` in a file or in Docker Compose means the default. */
export function readPart<Shape extends z.ZodRawShape>(part: z.ZodObject<Shape>, environment: Environment) {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== "");
  const result = part.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  throw new ConfigurationError(result.error.issues.map((issue) => problem(issue, environment)));
}

function problem({ path, message }: z.core.$ZodIssue, environment: Environment): Problem {
  const variable = String(path[0]);
  const value = environment[variable]?.trim();
  return {
    variable,
    message: value && !secretVariables.has(variable) ? `${message} (it is "${value}")` : message,
  };
}
