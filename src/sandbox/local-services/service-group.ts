import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Service, type ServiceProgram, startService } from "./child-process.ts";
import { LocalServiceError } from "./local-service-error.ts";

const guardianScript = join(import.meta.dirname, "guardian.sh");

export interface ServiceGroup {
  /** The process that stops the services should we die without doing so. */
  readonly guardianPid: number;
  start(program: ServiceProgram): Service;
  /** Settles when a service that was ready ends although nobody asked it to. */
  readonly firstDeath: Promise<{ readonly service: Service; readonly ending: string }>;
  /** Stops all services cleanly, the newest first. */
  stopAll(onStop?: (service: Service) => void): Promise<void>;
  /** Kills all services at once; for the second Ctrl-C. */
  killAll(): void;
}

/** Services that live and end together. */
export function createServiceGroup(): ServiceGroup {
  const services: Service[] = [];
  const guardian = spawn("sh", [guardianScript], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  guardian.unref();
  guardian.stdin.on("error", () => {}); // the guardian was killed; the services run on
  let isClosed = false;
  const firstDeath = Promise.withResolvers<{ service: Service; ending: string }>();

  return {
    guardianPid: guardian.pid ?? 0,
    firstDeath: firstDeath.promise,
    start(program) {
      if (isClosed)
        throw new LocalServiceError(`${program.name} is not started: everything is being stopped`);
      const service = startService(program);
      services.push(service);
      guardian.stdin.write(`watch ${service.pid} ${(program.stopSignal ?? "SIGTERM").slice("SIG".length)}\n`);
      service.exited.then(() => {
        services.splice(services.indexOf(service), 1);
        guardian.stdin.write(`forget ${service.pid}\n`);
      });
      service.died.then((ending) => firstDeath.resolve({ service, ending }));
      return service;
    },
    async stopAll(onStop) {
      isClosed = true;
      for (const service of services.toReversed()) {
        onStop?.(service);
        await service.stop();
      }
      guardian.stdin.end();
    },
    killAll() {
      isClosed = true;
      for (const service of services) service.kill();
      guardian.stdin.end();
    },
  };
}
