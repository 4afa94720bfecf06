import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import { runCommand, type Service } from "../../../src/sandbox/local-services/child-process.ts";
import { freePort, localHost } from "../../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../../src/sandbox/local-services/service-group.ts";
import { kafkaJars } from "./kafka-jars.ts";

/** A Kafka broker of its own: one node, in a process, with its log in a folder that is removed with it. */
export interface KafkaBroker {
  /** HOST:PORT. */
  readonly address: string;
  readonly pid: number;
  readonly admin: Admin;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** kill -9; waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on what is on its disk, at the same address. */
  restart(): Promise<void>;
  /** Ends it for good. */
  remove(): Promise<void>;
}

/** Small and quick to start; a long run may be worth the better compiler. */
const usualJavaOptions = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

export async function openKafkaBroker(javaOptions = usualJavaOptions): Promise<KafkaBroker> {
  const base = mkdtempSync(join(tmpdir(), "reckoner-kafka-"));
  const [port, controllerPort] = [await freePort(), await freePort()];
  const properties = join(base, "server.properties");
  writeFileSync(properties, propertiesOf({ folder: join(base, "data"), port, controllerPort }));
  const classes = `${await kafkaJars()}/*`;
  const clusterId = randomBytes(16).toString("base64url");
  const format = ["-cp", classes, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", properties];
  await runCommand("java", ["-Xmx256m", ...format]);
  const group = createServiceGroup();
  const address = `${localHost}:${port}`;
  const admin = new Admin({ clientId: "tests", bootstrapBrokers: [address], retries: 5, retryDelay: 200 });
  const start = async () => {
    const args = [...javaOptions, "-cp", classes, "kafka.Kafka", properties];
    const broker = group.start({ name: "Kafka", command: "java", args, logFile: join(base, "kafka.log") });
    await broker.ready(() => isServing(address));
    return broker;
  };
  let broker: Service = await start();
  return {
    address,
    admin,
    get pid() {
      return broker.pid;
    },
    async createTopic(topic, partitions) {
      await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
    },
    async kill() {
      broker.kill();
      await broker.exited;
    },
    async restart() {
      broker = await start();
    },
    async remove() {
      await admin.close();
      await group.stopAll();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** It answers, and it is the leader of itself: what it is asked to make, it makes. */
async function isServing(address: string): Promise<boolean> {
  const admin = new Admin({ clientId: "tests", bootstrapBrokers: [address], retries: 0 });
  try {
    const { controllerId } = await admin.metadata({ topics: [] });
    return controllerId >= 0;
  } catch {
    return false;
  } finally {
    await admin.close();
  }
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
}

const propertiesOf = ({ folder, port, controllerPort }: Place) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${localHost}:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://${localHost}:${port},CONTROLLER://${localHost}:${controllerPort}
advertised.listeners=PLAINTEXT://${localHost}:${port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${folder}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
`;
