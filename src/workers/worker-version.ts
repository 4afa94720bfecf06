import type { WorkerOptions } from "@temporalio/worker";

/** A build of the workers: which deployment it is a build of, and its name. */
export interface WorkerBuild {
  readonly deploymentName: string;
  readonly buildId: string;
}

/**
 * What makes workers one build among several that run at the same time (docs/changing-a-workflow.md). Each workflow says
 * itself whether it moves to a newer build (src/workflows/versioning.ts); one that says nothing stays where it began.
 */
export function versionOf(build: WorkerBuild | undefined): Pick<WorkerOptions, "workerDeploymentOptions"> {
  if (build === undefined) return {};
  return {
    workerDeploymentOptions: {
      version: build,
      useWorkerVersioning: true,
      defaultVersioningBehavior: "PINNED",
    },
  };
}
