"""A database's schema as the catalog describes it: every object by kind and name, with what can differ about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_devenv.probes.asking import Connection


@dataclass(frozen=True, slots=True)
class Item:
    """One object: `traits` are what can differ about it; where what it is `part_of` is not there, it is not either."""

    kind: str
    name: str
    traits: Mapping[str, str] = field(default_factory=dict)
    part_of: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name, by which the same object is found in another database."""
        return self.kind, self.name


Snapshot = dict[tuple[str, str], Item]

# Definitions are printed with every name qualified, so that they mean the same whatever the search path of a role is.
_PREPARE = "set local search_path = pg_catalog"

# The schemas and relations that are looked at; what belongs to an extension is the extension's.
_SCOPE = """
    with theirs as (
        select oid, nspname, case when nspname = 'public' then '' else quote_ident(nspname) || '.' end as prefix
          from pg_namespace
         where nspname !~ '^pg_' and nspname not in ('information_schema', 'pytest_devenv')),
    extended as (select classid, objid from pg_depend where deptype = 'e'),
    relations as (
        select c.*, t.prefix || quote_ident(c.relname) as title
          from pg_class c join theirs t on t.oid = c.relnamespace
         where t.prefix || c.relname <> all(%(leave_out)s)
           and not exists (select from extended where classid = 'pg_class'::regclass and objid = c.oid))
"""

# Each query gives kind, name, what it is part of (or null), and pairs of trait and value as one text[].
_QUERIES = (
    # Tables, and whether rows are guarded.
    """
    select case relkind when 'f' then 'foreign table' else 'table' end, title, null,
           array['row level security', case when relrowsecurity then 'enabled' else 'disabled' end,
                 'forced row level security', case when relforcerowsecurity then 'yes' else 'no' end,
                 'persistence', case relpersistence when 'u' then 'unlogged' else 'logged' end,
                 'partition key', coalesce(pg_get_partkeydef(oid), 'none'),
                 'partition bound', coalesce(pg_get_expr(relpartbound, oid), 'none')]
      from relations where relkind in ('r', 'p', 'f')
    """,
    """
    select 'column', r.title || '.' || quote_ident(a.attname), r.title,
           array['type', format_type(a.atttypid, a.atttypmod),
                 'nullability', case when a.attnotnull then 'not null' else 'nullable' end,
                 'default', case when a.attgenerated = '' then coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
                                 else 'none' end,
                 'generated', case when a.attgenerated = '' then 'no' else pg_get_expr(d.adbin, d.adrelid) end,
                 'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' else 'no' end,
                 'collation', coalesce(l.collname, 'none')]
      from relations r join pg_attribute a on a.attrelid = r.oid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_collation l on l.oid = a.attcollation
     where r.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped
    """,
    # A column says itself that it is not null.
    """
    select 'constraint', r.title || '.' || quote_ident(o.conname), r.title,
           array['definition', pg_get_constraintdef(o.oid), 'validated', o.convalidated::text]
      from pg_constraint o join relations r on r.oid = o.conrelid
     where r.relkind in ('r', 'p', 'f') and o.contype in ('c', 'f', 'p', 'u', 'x')
    """,
    # An index behind a constraint is the constraint's.
    """
    select 'index', r.title, t.title,
           array['definition', pg_get_indexdef(i.indexrelid), 'validity', case when i.indisvalid then 'valid'
                 else 'not valid' end]
      from pg_index i join relations r on r.oid = i.indexrelid join relations t on t.oid = i.indrelid
     where not exists (select from pg_constraint o where o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x'))
    """,
    """
    select case relkind when 'm' then 'materialized view' else 'view' end, title, null,
           array['definition', pg_get_viewdef(oid), 'options', coalesce(array_to_string(reloptions, ', '), 'none')]
      from relations where relkind in ('v', 'm')
    """,
    """
    select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
           t.prefix || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', null,
           array['definition', case when p.prokind = 'a' then coalesce(pg_get_function_result(p.oid), '')
                                    else pg_get_functiondef(p.oid) end]
      from pg_proc p join theirs t on t.oid = p.pronamespace
     where not exists (select from extended where classid = 'pg_proc'::regclass and objid = p.oid)
    """,
    """
    select 'trigger', r.title || '.' || quote_ident(g.tgname), r.title,
           array['definition', pg_get_triggerdef(g.oid),
                 'state', case g.tgenabled when 'O' then 'enabled' when 'D' then 'disabled'
                                           when 'R' then 'on replicas' else 'always' end]
      from pg_trigger g join relations r on r.oid = g.tgrelid
     where not g.tgisinternal
    """,
    """
    select 'policy', r.title || '.' || quote_ident(p.polname), r.title,
           array['command', case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert'
                                          when 'w' then 'update' else 'delete' end,
                 'kind', case when p.polpermissive then 'permissive' else 'restrictive' end,
                 'roles', (select string_agg(case when o = 0 then 'public' else pg_get_userbyid(o)::text end, ', '
                                             order by o) from unnest(p.polroles) as o),
                 'using', coalesce(pg_get_expr(p.polqual, p.polrelid), 'none'),
                 'check', coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'none')]
      from pg_policy p join relations r on r.oid = p.polrelid
    """,
    """
    select case y.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'type' else 'range' end,
           t.prefix || quote_ident(y.typname), null,
           array['definition', case y.typtype
               when 'e' then (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
                                from pg_enum where enumtypid = y.oid)
               when 'c' then (select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', '
                                                order by attnum)
                                from pg_attribute where attrelid = y.typrelid and attnum > 0 and not attisdropped)
               when 'd' then format_type(y.typbasetype, y.typtypmod) || case when y.typnotnull then ' not null' else ''
                   end || coalesce(' default ' || y.typdefault, '')
                   || coalesce((select ' ' || string_agg(pg_get_constraintdef(oid), ' ' order by conname)
                                  from pg_constraint where contypid = y.oid and contype = 'c'), '')
               else (select format_type(rngsubtype, null) from pg_range where rngtypid = y.oid) end]
      from pg_type y join theirs t on t.oid = y.typnamespace left join pg_class c on c.oid = y.typrelid
     where (y.typtype in ('e', 'd', 'r') or y.typtype = 'c' and c.relkind = 'c')
       and not exists (select from extended where classid = 'pg_type'::regclass and objid = y.oid)
    """,
    # A sequence behind an identity column is the column's.
    """
    select 'sequence', r.title, null,
           array['type', format_type(s.seqtypid, null), 'increment', s.seqincrement::text, 'start', s.seqstart::text,
                 'range', s.seqmin || ' to ' || s.seqmax, 'cycle', s.seqcycle::text, 'cache', s.seqcache::text]
      from pg_sequence s join relations r on r.oid = s.seqrelid
     where not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = r.oid
                          and d.deptype = 'i')
    """,
    # An owner may do everything anyway, and what all may do by default is no one's doing. The schema public, which
    # migrations find, is left to whoever provides it.
    """
    select 'grant', g.privilege_type || ' on ' || lower(o.kind) || ' ' || o.title || ' to '
             || case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end, o.title,
           array['grant option', case when g.is_grantable then 'yes' else 'no' end]
      from (select case relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end
                     as kind, title, relowner as owner,
                   coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) as acl
              from relations where relkind in ('r', 'p', 'f', 'v', 'm', 'S')
            union all
            select 'column', r.title || '.' || quote_ident(a.attname), r.relowner, a.attacl
              from relations r join pg_attribute a on a.attrelid = r.oid where a.attacl is not null and a.attnum > 0
            union all
            select 'function', t.prefix || quote_ident(p.proname) || '('
                     || pg_get_function_identity_arguments(p.oid) || ')', p.proowner,
                   coalesce(p.proacl, acldefault('f', p.proowner))
              from pg_proc p join theirs t on t.oid = p.pronamespace
             where not exists (select from extended where classid = 'pg_proc'::regclass and objid = p.oid)
            union all
            select 'schema', quote_ident(n.nspname), n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
              from pg_namespace n join theirs t on t.oid = n.oid where n.nspname <> 'public') as o,
           lateral aclexplode(o.acl) as g
     where g.grantee <> o.owner
    """,
    "select 'schema', quote_ident(nspname), null, array[]::text[] from theirs where nspname <> 'public'",
)


def take(connection: Connection, *, leave_out: Iterable[str]) -> Snapshot:
    """Read the whole schema in one consistent look; the relations named in `leave_out` are not of interest."""
    snapshot: Snapshot = {}
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute(_PREPARE)
        for query in _QUERIES:
            for kind, name, part_of, traits in connection.execute(
                (_SCOPE + query).encode(), {"leave_out": list(leave_out)}
            ):
                pairs = dict(zip(traits[::2], traits[1::2], strict=True))
                item = Item(kind, name, pairs, part_of)
                snapshot[item.key] = item
    return snapshot
