import { CommandShapeError, requireFields, requireIds } from "../../domain/lifecycle/index.ts";
import { WorkflowRefusal } from "../workflow-refusal.ts";

/**
 * Refuses what cannot be meant before anybody is asked, as the run would; what is missing the run itself says.
 * @throws WorkflowRefusal `request_invalid`, naming the field
 */
export function requireCommand(ids: Readonly<Record<string, string>>, command: object): void {
  try {
    requireIds(ids);
    requireFields(command);
  } catch (error) {
    if (!(error instanceof CommandShapeError)) throw error;
    throw new WorkflowRefusal(error.code, error.message);
  }
}
