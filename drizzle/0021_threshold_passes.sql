-- Why: what was agreed or closed since an earlier look is found by the transactions that wrote it, as usage is, so that only these subscriptions' thresholds are looked at again.

alter table billing.subscription_terms add column recorded_xid xid8 not null default pg_current_xact_id();
create index subscription_terms_recorded on billing.subscription_terms (recorded_xid);
alter table billing.rating_run add column recorded_xid xid8 not null default pg_current_xact_id();
create index rating_run_recorded on billing.rating_run (recorded_xid);
