import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** CPU seconds of a process since it began, and the memory it holds. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
}

export interface Child<Ready> {
  readonly ready: Ready;
  use(): Promise<ProcessUse>;
  /** Asks for something and waits for the answer; one at a time. */
  ask<Answer>(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts one of this folder's programs as a process of its own, which says something when it is ready. */
export async function startChild<Ready>(
  program: string,
  options: object,
  flags: string[] = [],
): Promise<Child<Ready>> {
  const child = fork(join(import.meta.dirname, program), [JSON.stringify(options)], {
    execArgv: flags,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const next = async () => {
    const [message] = await Promise.race([once(child, "message"), ended]);
    if (typeof message !== "object" || message === null)
      throw new Error(`${program} ended with code ${message}`);
    return message;
  };
  const ask = (question: object) => {
    child.send(question);
    return next();
  };
  return {
    ready: await next(),
    use: () => ask({ ask: "use" }),
    ask,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** The child's side: what it was started with. */
export const optionsGiven = <Options>(): Options => JSON.parse(process.argv[2] ?? "{}");

/** Says that this process is ready, and answers what it is asked; ends when nobody is there any more. */
export function answerParent(
  ready: object,
  {
    answer,
    end,
  }: { readonly answer?: (question: never) => Promise<object>; readonly end: () => Promise<void> },
): void {
  process.on("message", async (question: { ask?: string }) => {
    process.send?.(question.ask === "use" ? usedNow() : await answer?.(question as never));
  });
  process.once("disconnect", async () => {
    await end();
    process.exit(0);
  });
  process.send?.(ready);
}

function usedNow(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20) };
}

export type { ChildProcess };
