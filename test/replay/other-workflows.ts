import { sleep } from "@temporalio/workflow";

/** Workflows with the names of ours that do something else: what a change without a patch comes to. */
export async function subscription(): Promise<void> {
  await sleep("1 day");
}

export async function testClock(): Promise<void> {
  await sleep("1 day");
}
