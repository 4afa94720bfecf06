import { Group, MultiSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { dayStart } from "../format/day-start.ts";
import { wordsFor } from "../format/words.ts";
import { catalogQuery } from "../reads/queries.ts";
import type { Customer } from "../reads/resources.ts";

/** From when until when credit can be spent, and on what; days are the customer's. */
export interface CreditTerms {
  /** "2026-01-31", or nothing: at once. */
  readonly from: string;
  /** Nothing: never. */
  readonly until: string;
  /** None: all usage. */
  readonly products: readonly string[];
}

export const useCreditTerms = () => useState<CreditTerms>({ from: "", until: "", products: [] });

/** What the API calls them. */
export const creditTermsFields = ["effective_at", "expires_at", "scope"];

interface CreditTermsFieldsProps {
  readonly terms: CreditTerms;
  readonly onTerms: (terms: CreditTerms) => void;
  readonly error: Error | null;
}

export function CreditTermsFields({ terms, onTerms, error }: CreditTermsFieldsProps) {
  const products = useProducts();
  return (
    <>
      <Group grow align="flex-start" gap="sm">
        <TextInput
          type="date"
          label="From"
          description="Empty: at once"
          inputWrapperOrder={["label", "input", "description", "error"]}
          value={terms.from}
          onChange={(event) => onTerms({ ...terms, from: event.currentTarget.value })}
          error={faultAt(error, "effective_at")}
        />
        <TextInput
          type="date"
          label="Until, but not on"
          description="Empty: it never expires"
          inputWrapperOrder={["label", "input", "description", "error"]}
          value={terms.until}
          onChange={(event) => onTerms({ ...terms, until: event.currentTarget.value })}
          error={faultAt(error, "expires_at")}
        />
      </Group>
      <MultiSelect
        label="Pays only for"
        placeholder={terms.products.length === 0 ? "All usage" : ""}
        data={products.map((value) => ({ value, label: wordsFor(value) }))}
        value={[...terms.products]}
        onChange={(chosen) => onTerms({ ...terms, products: chosen })}
        error={faultAt(error, "scope")}
        clearable
      />
    </>
  );
}

/** What usage of the catalog is booked under. */
function useProducts(): string[] {
  const { data: catalog } = useQuery(catalogQuery());
  const prices = catalog?.plans.flatMap((plan) => plan.prices) ?? [];
  return [...new Set(prices.filter(({ type }) => type === "usage").map(({ product }) => product))].toSorted();
}

/** As the API takes them; what is left empty is left out. */
export const creditTermsOf = ({ from, until, products }: CreditTerms, { time_zone }: Customer) => ({
  ...(from === "" ? {} : { effective_at: dayStart(from, time_zone) }),
  ...(until === "" ? {} : { expires_at: dayStart(until, time_zone) }),
  ...(products.length === 0 ? {} : { scope: { products: [...products] } }),
});
