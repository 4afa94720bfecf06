import { sharedServer } from "../../support/shared-servers.ts";
import { installQuietRuntime } from "../../support/temporal.ts";
import { openScene, type Scene } from "./scene.ts";

/** A scene on the run's shared Temporal server, with the workflow bundle that all files share. */
export async function sharedScene(options?: Parameters<typeof openScene>[1]): Promise<Scene> {
  installQuietRuntime();
  const [{ address }, { codePath }] = await Promise.all([
    sharedServer("temporal"),
    sharedServer("workflowBundle"),
  ]);
  return await openScene({ address, codePath }, options);
}
