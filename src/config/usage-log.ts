import type { z } from "zod";
import { ConfigurationError } from "./configuration-error.ts";
import type { usageLogVariables } from "./variables.ts";

/** Where the log is, and how to get in. */
export interface UsageLogConfig {
  /** HOST:PORT of some brokers; they name the others. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
  readonly tls: boolean;
  readonly sasl:
    | {
        readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

type Values = z.infer<z.ZodObject<typeof usageLogVariables>>;

export function usageLogSection(values: Values): UsageLogConfig {
  return {
    brokers: values.USAGE_LOG_BROKERS,
    topic: values.USAGE_LOG_TOPIC,
    group: values.USAGE_LOG_GROUP,
    tls: values.USAGE_LOG_TLS === "true",
    sasl: saslOf(values),
  };
}

function saslOf({
  USAGE_LOG_SASL_MECHANISM: mechanism,
  USAGE_LOG_SASL_USERNAME: username,
  USAGE_LOG_SASL_PASSWORD: password,
  USAGE_LOG_TLS: tls,
}: Values): UsageLogConfig["sasl"] {
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined) {
    const variable = username === undefined ? "USAGE_LOG_SASL_USERNAME" : "USAGE_LOG_SASL_PASSWORD";
    throw new ConfigurationError([
      { variable, message: "is not set: give both name and password, or neither" },
    ]);
  }
  if (mechanism === "PLAIN" && tls !== "true") {
    const message =
      "must be true with USAGE_LOG_SASL_MECHANISM=PLAIN: the password would be readable on its way";
    throw new ConfigurationError([{ variable: "USAGE_LOG_TLS", message }]);
  }
  return { mechanism, username, password };
}
