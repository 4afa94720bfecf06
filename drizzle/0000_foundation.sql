-- Why: one Postgres schema per part, and an application role that owns nothing, so that no rule can be switched off by the code it binds.
do $$
begin
  if not exists (select from pg_roles where rolname = 'reckoner_app') then
    create role reckoner_app nologin;
  end if;
end
$$;
--> statement-breakpoint
create schema ledger;
create schema usage;
create schema catalog;
create schema billing;
create schema stripe;
create schema access;
grant usage on schema ledger, usage, catalog, billing, stripe, access to reckoner_app;
--> statement-breakpoint
-- Put on every append-only table, for rows and for the whole table: facts are never edited, they are corrected by new facts.
create function public.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on %.% is refused: its rows are facts, correct them by new ones', tg_op, tg_table_schema, tg_table_name
    using errcode = 'RK001';
end
$$;
--> statement-breakpoint
create procedure public.make_append_only(target regclass) language plpgsql as $$
begin
  execute format('create trigger append_only_rows before update or delete on %s for each row execute function public.refuse_change()', target);
  execute format('create trigger append_only_table before truncate on %s for each statement execute function public.refuse_change()', target);
end
$$;
