/** The id of what Stripe refers to: by the id alone, or, where it was expanded, by the object. */
export const idOf = (reference: string | { readonly id: string }): string =>
  typeof reference === "string" ? reference : reference.id;
