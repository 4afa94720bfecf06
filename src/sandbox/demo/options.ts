import { parseArgs } from "node:util";
import { BillingError } from "../../domain/errors.ts";
import { castSize } from "./customers.ts";

/** How large a demo is. The standard one, a month of a dozen customers, is what both are when left out. */
export interface DemoOptions {
  readonly months: number;
  readonly customers: number;
}

export class DemoOptionsError extends BillingError {
  readonly code = "demo_options_invalid";
}

export const standardDemo: DemoOptions = { months: 1, customers: castSize };

const monthsMax = 12;
const customersMax = 5_000;

export const usage = `npm run demo -- [--months 1-${monthsMax}] [--customers ${castSize}-${customersMax}]

  --months N     months of usage (${standardDemo.months})
  --customers N  customers: the dozen, and others made by rule (${standardDemo.customers})`;

/** @throws DemoOptionsError that says what to write; null when only help is asked for */
export function parseDemoOptions(args: readonly string[]): DemoOptions | null {
  const { months, customers, help } = readFlags(args);
  if (help) return null;
  return {
    months: wholeNumber("--months", months, 1, monthsMax) ?? standardDemo.months,
    customers: wholeNumber("--customers", customers, castSize, customersMax) ?? standardDemo.customers,
  };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        months: { type: "string" },
        customers: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new DemoOptionsError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

function wholeNumber(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new DemoOptionsError(`${flag} must be a whole number from ${min} to ${max} (it is "${text}")`, flag);
}
