import { createContext, useContext } from "react";
import type { Customer } from "../reads/resources.ts";

/** The customer whose page this is, for everything on it. */
export const CustomerContext = createContext<Customer | null>(null);

export function useCustomer(): Customer {
  const customer = useContext(CustomerContext);
  if (customer === null) throw new Error("this belongs on a customer's page");
  return customer;
}
