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
-- Every function names where it looks names up: in pg_catalog, and in pg_temp last. Left out, pg_temp comes first, and a caller's
-- temporary type would run the caller's code with the owner's rights.
--
-- Put on every append-only table, for rows and for the whole table: facts are never edited, they are corrected by new facts. Also a
-- statement that would touch no row is refused, so that an empty partition is no exception.
create function public.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on %.% is refused: its rows are facts, correct them by new ones', tg_op, tg_table_schema, tg_table_name
    using errcode = 'RK001';
end
$$;
--> statement-breakpoint
create procedure public.make_append_only(target regclass) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create trigger append_only_rows before update or delete on %s for each row execute function public.refuse_change()', target);
  execute format('create trigger append_only_table before update or delete or truncate on %s for each statement execute function public.refuse_change()', target);
end
$$;
--> statement-breakpoint
-- On tables whose rows have a state: what is not named as changeable stays as it was written, also columns that come later.
create function public.refuse_other_changes() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if to_jsonb(old) - tg_argv is distinct from to_jsonb(new) - tg_argv then
    raise exception 'update on %.% is refused: % may not change', tg_table_schema, tg_table_name, (
      select string_agg(after.key, ', ' order by after.key) from jsonb_each(to_jsonb(new)) as after
      where after.key <> all (tg_argv) and after.value is distinct from to_jsonb(old) -> after.key)
      using errcode = 'RK001';
  end if;
  return new;
end
$$;
--> statement-breakpoint
-- Keeps every row of a table for good, and lets the application change the named columns alone.
create procedure public.make_fixed_but(target regclass, variadic changeable text[]) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create trigger all_else_is_fixed before update on %s for each row execute function public.refuse_other_changes(%s)',
    target, (select string_agg(quote_literal(name), ', ') from unnest(changeable) as name));
  execute format('create trigger rows_are_kept before delete on %s for each row execute function public.refuse_change()', target);
  execute format('create trigger table_is_kept before truncate on %s for each statement execute function public.refuse_change()', target);
  execute format('grant select, insert, update (%s) on %s to reckoner_app',
    (select string_agg(quote_ident(name), ', ') from unnest(changeable) as name), target);
end
$$;
