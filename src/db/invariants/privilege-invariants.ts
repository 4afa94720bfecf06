import { guards, ownersFunctions } from "./guards.ts";
import type { InvariantQuery } from "./invariant-query.ts";
import * as rules from "./table-rules.ts";

/** The role that all code of the application acts as; the login it uses is a member. */
const applicationRole = "reckoner_app";

const schemas = "('ledger', 'usage', 'catalog', 'billing', 'stripe', 'access', 'notice')";

const quoted = (names: readonly string[]) => names.map((name) => `('${name}')`).join(", ");

/** The application's role, and whoever asks: production code and this check are connected alike. */
const actors = `
  select oid, rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as is_powerful
  from pg_roles where rolname in ('${applicationRole}', current_user)`;

/** Tables by name, and all their partitions. */
const withPartitions = (names: readonly string[]) => `
  select part.relid, part.relid::regclass::text as name
  from (values ${quoted(names)}) as named (name)
  cross join lateral (select named.name::regclass union select relid from pg_partition_tree(named.name::regclass)) as part (relid)`;

const privileges = (names: string, tables: readonly string[]) => `
  select actor.rolname, target.name, privilege.name as privilege
  from (${actors}) as actor
  cross join unnest(string_to_array('${names}', ', ')) as privilege (name)
  cross join (${withPartitions(tables)}) as target
  where has_table_privilege(actor.oid, target.relid, privilege.name)`;

const { factTables, derivedOnceTables, derivedTables, changeableColumns, claimColumns, foreignTables } =
  rules;
const fixedTables = [...factTables, ...derivedOnceTables, ...derivedTables];
const writtenByFunctions = fixedTables.filter((table) => /^(ledger|usage)[.]/.test(table));
const changeable = { ...changeableColumns, ...claimColumns };

/** What the catalog says of who may do what. */
export const privilegeInvariants: readonly InvariantQuery[] = [
  {
    name: "V10: every table is known to be of facts, derived from them, or of records with a state, and survives a crash",
    sql: `
      select pg_class.oid::regclass::text as name, 'nobody says what it is' as what
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p', 'm', 'f') and not relispartition and nspname !~ '^(pg_|information_schema)'
        and concat_ws('.', nspname, relname) not in (select name from (values ${quoted([
          ...fixedTables,
          ...Object.keys(changeable),
          ...foreignTables,
        ])}) as known (name))
        -- The events of an archived month, until they are dropped, are nobody's any more.
        and not exists (
          select from usage.archived_month where nspname = 'usage' and relname = to_char(month, '"event_"YYYY_MM')
            and not has_table_privilege('${applicationRole}', pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER'))
      union all
      select pg_class.oid::regclass::text, 'is lost in a crash' from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p') and nspname in ${schemas} and relpersistence <> 'p'`,
  },
  {
    name: "V10: the application may not change what was written, and writes facts of ledger and usage through functions only",
    sql: `
      ${privileges("UPDATE, DELETE, TRUNCATE, TRIGGER", fixedTables)}
      union all
      select actor.rolname, target.name, 'UPDATE of a column'
      from (${actors}) as actor cross join (${withPartitions(fixedTables)}) as target
      where has_any_column_privilege(actor.oid, target.relid, 'UPDATE')
      union all
      ${privileges("INSERT", writtenByFunctions)}
      union all
      ${privileges("SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER", foreignTables)}`,
  },
  {
    name: "V10: of a record with a state the application may change that state alone",
    sql: `
      with record (name, changeable) as (values ${Object.entries(changeable)
        .map(([table, columns]) => `('${table}', '{${columns.join(", ")}}'::text[])`)
        .join(", ")})
      select actor.rolname, record.name, attname as changes
      from (${actors}) as actor cross join record
      join pg_attribute on attrelid = record.name::regclass and attnum > 0 and not attisdropped
      where attname <> all (changeable) and has_column_privilege(actor.oid, attrelid, attnum, 'UPDATE')
      union all
      ${privileges("DELETE", Object.keys(changeableColumns))}
      union all
      ${privileges("TRUNCATE, TRIGGER", Object.keys(changeable))}
      union all
      select null, record.name, 'whoever owns it'
      from record join pg_trigger on tgrelid = record.name::regclass and tgname = 'all_else_is_fixed'
      where string_to_array(encode(tgargs, 'escape'), '\\000') <> changeable || ''::text`,
  },
  {
    name: "V10: the application owns nothing, makes nothing, and can do nothing beyond what it was granted",
    sql: `
      select rolname, 'has more rights than a plain role' as what from (${actors}) as actor where is_powerful
      union all
      select rolname, 'owns ' || pg_describe_object(classid, objid, objsubid)
      from pg_shdepend join (${actors}) as actor on actor.oid = refobjid and refclassid = 'pg_authid'::regclass
      where deptype = 'o' and dbid = (select oid from pg_database where datname = current_database())
      union all
      select rolname, 'owns the database' from pg_database join (${actors}) as actor on actor.oid = datdba
      where datname = current_database()
      union all
      select rolname, 'may create in schema ' || nspname from pg_namespace cross join (${actors}) as actor
      where (nspname in ${schemas} or nspname = 'public') and has_schema_privilege(actor.oid, pg_namespace.oid, 'CREATE')
      union all
      select actor.rolname, 'acts as ' || role.rolname from (${actors}) as actor
      join pg_auth_members as membership on membership.member = actor.oid
      join pg_roles as role on role.oid = membership.roleid and role.rolname <> '${applicationRole}'
      union all
      select rolname, 'may switch triggers off for itself' from (${actors}) as actor
      where has_parameter_privilege(actor.oid, 'session_replication_role', 'SET')`,
  },
  {
    name: "V10: every trigger that guards a rule is there and fires",
    sql: `
      select rule.name, 'is missing or switched off' as what from (values ${quoted(guards)}) as rule (name)
      where not exists (
        select from pg_trigger
        join pg_class on pg_class.oid = tgrelid join pg_namespace on pg_namespace.oid = relnamespace
        where concat_ws('.', nspname, relname, tgname) = rule.name and tgenabled in ('O', 'A'))
      union all
      select concat_ws('.', part.relname, parents.tgname), 'is missing on the partition'
      from pg_inherits
      join pg_class as part on part.oid = inhrelid and part.relkind = 'r'
      join pg_trigger as parents on parents.tgrelid = inhparent and not parents.tgisinternal
      where not exists (select from pg_trigger as own where own.tgrelid = inhrelid and own.tgname = parents.tgname and own.tgenabled in ('O', 'A'))
      union all
      select concat_ws('.', nspname, relname, tgname), 'is switched off' from pg_trigger
      join pg_class on pg_class.oid = tgrelid join pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ${schemas} and tgenabled in ('D', 'R')`,
  },
  {
    name: "V10: functions that act with their owner's rights are only those meant to be, and cannot be led to other tables",
    sql: `
      select pg_proc.oid::regprocedure::text as function, actor.rolname, proconfig
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      cross join (${actors}) as actor
      where nspname in ${schemas} and prosecdef and has_function_privilege(actor.oid, pg_proc.oid, 'EXECUTE')
        and concat_ws('.', nspname, proname) <> all (array[${ownersFunctions.map((name) => `'${name}'`).join(", ")}])
      union all
      -- A path that does not end with pg_temp begins with it: a temporary type of the caller's would run the caller's code.
      select pg_proc.oid::regprocedure::text, null, proconfig
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      join pg_language on pg_language.oid = prolang
      where (nspname in ${schemas} or nspname = 'public') and (prosecdef or lanname = 'plpgsql')
        and 'search_path=pg_catalog, pg_temp' <> all (coalesce(proconfig, '{}'))`,
  },
];
