import { DefaultFailureConverter } from "@temporalio/common";

/**
 * Puts the message and stack of a failure into a payload, so that the codec encrypts them too; the type, by which code
 * branches and operators search, stays readable. Loaded by Temporal by path, also into the bundle of the workflows.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
