import { childEnvironment } from "../../../src/config.ts";
import type { Service } from "../../../src/sandbox/local-services/child-process.ts";
import { startNodeProgram } from "../../../src/sandbox/local-services/node-program.ts";
import { freePort, localHost } from "../../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../../src/sandbox/local-services/service-group.ts";

/** A reader of the log as a process of its own. */
export interface ReaderProcess {
  readonly pid: number;
  /** Asks for a clean end, and waits for it. */
  stop(): Promise<void>;
  /** kill -9; waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it in the middle of what it does, as a machine that swaps or a virtual machine that is moved. */
  freeze(): void;
  thaw(): void;
}

export interface ReaderProcessOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly databaseUrl: string;
  readonly logFile: string;
}

export async function startReaderProcess(options: ReaderProcessOptions): Promise<ReaderProcess> {
  const { brokers, topic, databaseUrl, logFile } = options;
  const metricsPort = await freePort();
  const environment = childEnvironment({
    DATABASE_URL: databaseUrl,
    USAGE_LOG_BROKERS: brokers,
    USAGE_LOG_TOPIC: topic,
    USAGE_LOG_GROUP: `readers-of-${topic}`,
    USAGE_LOG_SESSION_SECONDS: "2",
    USAGE_LOG_METRICS_PORT: String(metricsPort),
    LOG_LEVEL: "info",
  });
  const group = createServiceGroup();
  let started: Service | undefined;
  const remembering: typeof group = {
    ...group,
    start: (program) => {
      started = group.start(program);
      return started;
    },
  };
  const readyUrl = `http://${localHost}:${metricsPort}/metrics`;
  const entry = "src/workers/usage-log/main.ts";
  await startNodeProgram(remembering, { name: "usage log", entry, environment, logFile, readyUrl });
  const service = started as Service | undefined;
  if (service === undefined) throw new Error("the reader was not started");
  return {
    pid: service.pid,
    stop: () => group.stopAll(),
    async kill() {
      service.kill();
      await service.exited;
      await group.stopAll();
    },
    freeze: () => void process.kill(service.pid, "SIGSTOP"),
    thaw: () => void process.kill(service.pid, "SIGCONT"),
  };
}
