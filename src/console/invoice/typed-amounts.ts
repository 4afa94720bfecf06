/** What was typed into a form of credited lines, by line; a line that is left empty is not credited. */
export type TypedAmounts = Readonly<Record<number, string>>;

/** As the API calls the amount of a credited line, by its place in the request, from 0. */
export const amountField = (index: number): string => `lines[${index}].amount_minor`;
