import { setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { PeriodWaitsForTax } from "../activities/wait-for-tax.ts";
import { type Instant, instant } from "../domain/calendar/index.ts";
import { searchAttributes } from "./search-attributes.ts";

/**
 * How a run is shown while its close waits for tax: by its state from the beginning, and among what needs attention once the
 * limit of the policy is over. Each is said once.
 */
export class WaitingForTax {
  #shown: "not" | "waiting" | "overdue" = "not";

  show(period: string, { until, overdueAt, quote }: PeriodWaitsForTax, now: Instant): void {
    const whose = quote === null ? "an earlier period" : `its invoice, quote \`${quote}\``;
    setCurrentDetails(
      `Period ${period}: waits for the tax on **${whose}**, which is reckoned outside. It is not issued without. ` +
        `Looked at again ${until}, or when tax is given; shown to operators from ${overdueAt} on.`,
    );
    const isOverdue = now >= instant(overdueAt);
    if (this.#shown === "not") {
      upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: "waiting_for_tax" }]);
      this.#shown = "waiting";
    }
    if (!isOverdue || this.#shown === "overdue") return;
    this.#shown = "overdue";
    upsertSearchAttributes([
      { key: searchAttributes.needsAttention, value: true },
      { key: searchAttributes.errorClass, value: "tax_missing" },
    ]);
  }

  /** It has come, or is not wanted any more. */
  over(): void {
    if (this.#shown === "not") return;
    upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: null }]);
    if (this.#shown === "overdue") {
      upsertSearchAttributes([
        { key: searchAttributes.needsAttention, value: false },
        { key: searchAttributes.errorClass, value: null },
      ]);
    }
    this.#shown = "not";
  }
}
