import { describe, expect, test } from "vitest";
import { ConfigurationError, type Environment, loadUsageLogConfig } from "../../src/config.ts";

const workable = { DATABASE_URL: "postgres://app:word@db:5432/reckoner", USAGE_LOG_BROKERS: "kafka:9092" };
const load = (environment: Environment) => loadUsageLogConfig({ ...workable, ...environment });

test("an address is enough", () => {
  expect(load({})).toMatchObject({
    kafka: {
      brokers: ["kafka:9092"],
      topic: "reckoner.usage",
      group: "reckoner",
      tls: false,
      sasl: undefined,
    },
    connections: 2,
    sessionTimeoutMs: 10_000,
    metricsPort: undefined,
  });
});

test("several brokers, TLS, a name and a password", () => {
  const { kafka } = load({
    USAGE_LOG_BROKERS: "a.example:9093, b.example:9093",
    USAGE_LOG_TLS: "true",
    USAGE_LOG_SASL_MECHANISM: "PLAIN",
    USAGE_LOG_SASL_USERNAME: "reckoner",
    USAGE_LOG_SASL_PASSWORD: "hunter2",
  });
  expect(kafka).toMatchObject({
    brokers: ["a.example:9093", "b.example:9093"],
    tls: true,
    sasl: { mechanism: "PLAIN", username: "reckoner", password: "hunter2" },
  });
});

describe("a value that cannot be used", () => {
  const signedIn = { USAGE_LOG_SASL_USERNAME: "reckoner", USAGE_LOG_SASL_PASSWORD: "hunter2" };

  test.each([
    [{ USAGE_LOG_BROKERS: "" }, /^USAGE_LOG_BROKERS is not set: give the address of a Kafka broker/],
    [{ USAGE_LOG_BROKERS: "kafka" }, /^USAGE_LOG_BROKERS must be HOST:PORT/],
    [{ USAGE_LOG_BROKERS: "kafka:9092,,b:1" }, /^USAGE_LOG_BROKERS must be HOST:PORT/],
    [
      { USAGE_LOG_TOPIC: "a topic" },
      /^USAGE_LOG_TOPIC must be letters, digits, dots, underscores and hyphens/,
    ],
    [{ USAGE_LOG_SASL_MECHANISM: "GSSAPI" }, /^USAGE_LOG_SASL_MECHANISM must be one of PLAIN/],
    [
      { USAGE_LOG_SASL_USERNAME: "reckoner" },
      /^USAGE_LOG_SASL_PASSWORD is not set: give both name and password/,
    ],
    [{ USAGE_LOG_SASL_PASSWORD: "hunter2" }, /^USAGE_LOG_SASL_USERNAME is not set/],
    [
      { ...signedIn, USAGE_LOG_SASL_MECHANISM: "PLAIN" },
      /^USAGE_LOG_TLS must be true with USAGE_LOG_SASL_MECHANISM=PLAIN/,
    ],
    [{ USAGE_LOG_SESSION_SECONDS: "0" }, /^USAGE_LOG_SESSION_SECONDS must be a whole number from 1 to 300/],
  ])("%j is refused, and no secret is said", (environment, message) => {
    const refused = () => load(environment);
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/hunter2/);
  });
});
