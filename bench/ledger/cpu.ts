import { readdirSync, readFileSync } from "node:fs";

/** CPU seconds, of the process itself and of the database's server with all its backends. */
export interface CpuSeconds {
  readonly client: number;
  /** Undefined where the system has no /proc. */
  readonly server: number | undefined;
}

const ticksPerSecond = 100;

/** Counts from now on. Rates on a busy machine say little; the CPU that a piece of work takes says much. */
export function cpuMeter(serverPid: number): () => CpuSeconds {
  const clientBefore = process.cpuUsage();
  const serverBefore = serverTicks(serverPid);
  return () => {
    const { user, system } = process.cpuUsage(clientBefore);
    const ticks = serverTicks(serverPid);
    return {
      client: (user + system) / 1e6,
      server:
        ticks === undefined || serverBefore === undefined
          ? undefined
          : (ticks - serverBefore) / ticksPerSecond,
    };
  };
}

/** Seconds of CPU of a program: of its process, and of the processes it has started, running or ended. */
export function programCpu(pid: number): number | undefined {
  const ticks = serverTicks(pid);
  return ticks === undefined ? undefined : ticks / ticksPerSecond;
}

/** Of the server, of the backends that run, and of those that have ended. */
function serverTicks(serverPid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  let ticks = 0;
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? processStat(Number(name)) : undefined;
    if (stat === undefined) continue;
    if (stat.pid === serverPid) ticks += stat.own + stat.endedChildren;
    else if (stat.parent === serverPid) ticks += stat.own;
  }
  return ticks;
}

function processStat(pid: number) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything; the numbered fields follow it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, parent: field(4), own: field(14) + field(15), endedChildren: field(16) + field(17) };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Of a process of this machine; 0 where the system has no /proc. */
export const parentOf = (pid: number): number => processStat(pid)?.parent ?? 0;
