/**
 * For services that talk to Temporal themselves (`import … from "reckoner/temporal"`): the ids of runs, what may be said
 * to a subscription's, and a small client that says it as the API does, with the same refusals and the same answers.
 */
export type {
  ActivateAnswer,
  ActivateCommand,
  AddAddOnCommand,
  CancelCommand,
  ChangeAnswer,
  ChangePlanCommand,
  ChangeQuantityCommand,
  ClockReading,
  EndTrialCommand,
  PauseCommand,
  RemoveAddOnCommand,
  ResumeCommand,
  RunningSubscription,
  UncancelCommand,
  WithdrawScheduledCommand,
} from "../../workflows/messages.ts";
export {
  activate,
  addAddOn,
  cancel,
  changePlan,
  changeQuantity,
  endTrial,
  pause,
  removeAddOn,
  resume,
  standing,
  uncancel,
  withdrawScheduled,
  workflowIds,
} from "../../workflows/messages.ts";
export { connectTemporal, type TemporalTarget } from "../connect.ts";
export { dataConverterOf } from "../data-converter.ts";
export { type PayloadKey, payloadCodec } from "../payload-codec.ts";
export { WorkflowRefusal, WorkflowSilentError } from "../workflow-refusal.ts";
export { type Activation, type SubscriptionClient, subscriptionClient } from "./subscription-client.ts";
