import { refused } from "../http/refusal.ts";
import { type Call, pathId, type Reply, type Route } from "../http/route.ts";
import { endDispute, escalate, isInquiry, isOpenDispute } from "../payments/disputes.ts";
import { flag, mergedMetadata, object } from "../schema/access.ts";
import type { Dispute } from "../state/objects.ts";
import { emit } from "./emit.ts";
import { render } from "./render.ts";

/** Evidence in words; files are not kept here. */
const evidenceFields = [
  "access_activity_log",
  "cancellation_rebuttal",
  "customer_email_address",
  "customer_name",
  "product_description",
  "refund_policy_disclosure",
  "service_date",
  "uncategorized_text",
];

export const disputeRoutes: readonly Route[] = [
  {
    operation: "POST /v1/disputes/{dispute}",
    honours: [...evidenceFields.map((field) => `evidence.${field}`), "evidence", "metadata", "submit"],
    handle: update,
  },
  { operation: "POST /v1/disputes/{dispute}/close", honours: [], handle: close },
];

/** Evidence is staged until it is submitted. Stripe's two magic words decide at once; anything else is reviewed. */
function update(call: Call): Reply {
  const { tx, params } = call;
  const before = openOne(call);
  const given = Object.entries(object(params, "evidence") ?? {}).map(([name, value]) => [
    name,
    String(value),
  ]);
  const evidence = { ...before.evidence, ...Object.fromEntries(given) };
  const metadata = mergedMetadata(params, before.metadata);
  const isSubmitted = given.length > 0 && flag(params, "submit") !== false;
  if (!isSubmitted) return render(tx, tx.put({ ...before, evidence, metadata }));
  const reviewed: Dispute = tx.put({
    ...before,
    evidence,
    metadata,
    submission_count: before.submission_count + 1,
    status: isInquiry(before) ? "warning_under_review" : "under_review",
  });
  emit(call, "charge.dispute.updated", reviewed, before);
  return render(tx, decided(call, reviewed));
}

function decided(call: Call, dispute: Dispute): Dispute {
  switch (dispute.evidence.uncategorized_text) {
    case "winning_evidence":
      return endDispute(call, dispute, isInquiry(dispute) ? "warning_closed" : "won");
    case "losing_evidence":
      return endDispute(call, dispute, isInquiry(dispute) ? "warning_closed" : "lost");
    case "escalate_inquiry_evidence":
      return isInquiry(dispute) ? escalate(call, dispute) : dispute;
    default:
      return dispute;
  }
}

/** Giving up is losing. */
function close(call: Call): Reply {
  const dispute = openOne(call);
  return render(call.tx, endDispute(call, dispute, isInquiry(dispute) ? "warning_closed" : "lost"));
}

function openOne(call: Call): Dispute {
  const dispute = call.tx.get("dispute", pathId(call, "dispute"));
  if (isOpenDispute(dispute)) return dispute;
  throw refused("This dispute is already closed.", "dispute_already_closed");
}
