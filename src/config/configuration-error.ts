import { BillingError } from "../domain/errors.ts";

/** One variable and what is wrong with it, for example `must be a whole number from 1 to 65535`. */
export interface Problem {
  readonly variable: string;
  readonly message: string;
}

/** The environment cannot be used. The message has one line for each problem and never a secret's value. */
export class ConfigurationError extends BillingError {
  readonly code = "configuration_invalid";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      problems.map(({ variable, message }) => `${variable} ${message}`).join("\n"),
      problems[0]?.variable,
    );
    this.problems = problems;
  }
}
