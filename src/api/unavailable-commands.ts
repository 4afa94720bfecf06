import type { ApiDependencies } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";

const refuse = async (): Promise<never> => {
  throw new RequestRefusedError(
    "unavailable",
    "this API is not connected to the process engine: try again later",
  );
};

/** For an API without a process engine: it reads, takes usage in, and refuses what a workflow has to do. */
export const unavailableCommands: Pick<ApiDependencies, "testClocks" | "payments" | "credits"> = {
  testClocks: { areAllowed: false, create: refuse, advance: refuse },
  payments: { attachPaymentMethod: refuse },
  credits: { grantPromotional: refuse, purchase: refuse },
};
