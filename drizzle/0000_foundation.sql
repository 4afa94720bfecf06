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
--> statement-breakpoint
-- A reference to rows of an append-only table. They stay, so nothing has to be locked, and what all rows of a statement refer to is
-- looked up together when it ends, each once. A foreign key looks it up for each row, which for a line of an invoice takes as long as
-- writing it. The lookup is one by one whatever statistics say: those of an empty table would have it read as a whole.
create procedure public.refer_to_kept(target regclass, referring text[], kept regclass, referred text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  rule constant text := (select format('%I.%I', nspname, target.relname || '_refers_to_' || named.relname)
    from pg_class as target join pg_namespace as schema on schema.oid = target.relnamespace, pg_class as named
    where target.oid = refer_to_kept.target and named.oid = kept);
  names constant text := (select string_agg(quote_ident(name), ', ') from unnest(referring) as name);
begin
  if 2 <> (select count(*) from pg_trigger where tgrelid in (target, kept) and tgname = 'append_only_rows') then
    raise exception '% and % are to be append-only', target, kept;
  end if;
  execute format($definition$
    create function %1$s() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $body$
    begin
      if exists (
        select from (select distinct %2$s from added) as referring
        where not exists (select from %3$s as kept where (%4$s) = (%5$s))
      ) then
        raise exception 'a row of %6$s refers to a row of %3$s that is not there' using errcode = 'foreign_key_violation';
      end if;
      return null;
    end
    $body$;
    revoke execute on function %1$s from public;
    create trigger refers_to_%7$s after insert on %6$s referencing new table as added for each statement execute function %1$s();
    $definition$, rule, names, kept, (select string_agg(format('kept.%I', name), ', ') from unnest(referred) as name),
    (select string_agg(format('referring.%I', name), ', ') from unnest(referring) as name), target,
    (select relname from pg_class where oid = kept));
end
$$;
