/** The pages that are not about one customer, in the order of the navigation. */
export const pages = [
  { path: "/customers", label: "Customers" },
  { path: "/approvals", label: "Approvals" },
  { path: "/anomalies", label: "Anomalies" },
  { path: "/finance", label: "Finance" },
  { path: "/product", label: "Product" },
  { path: "/operations", label: "Operations" },
] as const;
