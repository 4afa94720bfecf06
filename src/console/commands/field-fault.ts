import { ReckonerApiError } from "../../sdk/index.ts";

/** What somebody entered and the API need not be asked about. The field is called as the API calls it. */
export class FieldFault extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = "FieldFault";
    this.field = field;
  }
}

/** What is wrong with a field of a form, as a sentence; undefined when nothing is, or nobody knows yet. */
export function faultAt(error: Error | null, field: string): string | undefined {
  const detail = faultsOf(error).find((fault) => fault.field === field)?.detail;
  return detail === undefined ? undefined : sentence(detail);
}

/** Whether all that is wrong is said at one of these fields. */
export function isSaidAt(error: Error | null, fields: readonly string[]): boolean {
  const faults = faultsOf(error);
  return faults.length > 0 && faults.every(({ field }) => fields.includes(field));
}

/** "must be positive" becomes "Must be positive." */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

function faultsOf(error: Error | null): readonly { readonly field: string; readonly detail: string }[] {
  if (error instanceof FieldFault) return [{ field: error.field, detail: error.message }];
  if (!(error instanceof ReckonerApiError)) return [];
  if (error.faults.length > 0) return error.faults;
  return error.field === undefined ? [] : [{ field: error.field, detail: error.message }];
}
