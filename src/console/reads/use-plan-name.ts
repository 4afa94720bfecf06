import { useQuery } from "@tanstack/react-query";
import { wordsFor } from "../format/words.ts";
import { catalogQuery } from "./queries.ts";

/** What a plan is called, by its key. Until the catalog is read, and for plans that left it, the key has to do. */
export function usePlanName(): (planKey: string) => string {
  const { data: catalog } = useQuery(catalogQuery());
  return (planKey) => catalog?.plans.find(({ key }) => key === planKey)?.name ?? wordsFor(planKey);
}
