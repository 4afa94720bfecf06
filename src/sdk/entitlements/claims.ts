/** What Reckoner signs about a customer: `docs/edge.md`. */
export interface SnapshotClaims {
  readonly sub: string;
  /** In seconds. */
  readonly iat: number;
  readonly exp: number;
  /** A whole number as text: higher is later. */
  readonly position: string;
  readonly digest: string;
  readonly as_of: string;
  /** Left out in a renewal, which says that what has this digest is still right. */
  readonly content?: SnapshotContent;
}

export interface SnapshotContent {
  readonly currency: string;
  readonly clock: "wall" | "test";
  readonly access: { readonly level: string; readonly invoice: string | null };
  readonly features: Readonly<Record<string, FeatureInSnapshot>>;
}

export interface FeatureInSnapshot {
  readonly type: "boolean" | "config" | "metered";
  readonly denied: DeniedReason | null;
  readonly setting: string | readonly string[] | null;
  readonly compare: "list" | "number" | "text" | null;
  readonly limits: readonly LimitInSnapshot[] | null;
  readonly budget: { readonly feature: string; readonly resets_at: string | null } | null;
  readonly when_cut_off: CutOffPolicy;
}

/** The same reasons as those of `POST /v1/entitlements/check`. */
export type DeniedReason =
  | "access_ended"
  | "access_limited"
  | "not_entitled"
  | "subscription_incomplete"
  | "subscription_paused"
  | "value_not_included"
  | "subject_missing"
  | "limit_reached"
  | "budget_reached";

export type AllowedReason = "granted" | "unlimited" | "within_limits" | "beyond_allowance";

export interface LimitInSnapshot {
  readonly quantity: string;
  readonly beyond: "denied" | "charged";
  readonly per: readonly string[];
  readonly where: Readonly<Record<string, string>>;
  readonly window: "calendar" | "billing_cycle" | "rolling" | "first_use" | "never";
  readonly grows: "by_sum" | "by_largest";
  readonly used: readonly {
    readonly of: readonly string[];
    readonly quantity: string;
    readonly resets_at: string | null;
  }[];
  readonly others_used_max: string;
}

export type CutOffPolicy =
  | { readonly use: "allowed" }
  | { readonly use: "denied" }
  | { readonly use: "allowed_up_to"; readonly quantity: string };
