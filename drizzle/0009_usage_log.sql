-- Why: usage that comes through a log (Kafka) is counted exactly once, because how far the log was read is written in the commit of what was read.

-- How far a partition was read. A topic that was made anew under an old name has another id, and positions of its own.
create table usage.log_position (
  topic_id uuid not null,
  partition int not null check (partition >= 0),
  topic text not null check (topic <> ''),
  first_offset bigint not null check (first_offset >= 0), -- where reading began
  next_offset bigint not null check (next_offset >= 0),
  -- Raised by whoever takes the partition over: what an earlier reader still brings is refused.
  claim bigint not null default 0,
  claimed_by text not null,
  claimed_at timestamptz not null default clock_timestamp(),
  moved_at timestamptz,
  primary key (topic_id, partition)
);
create index log_position_of_topic on usage.log_position (topic);
call public.make_fixed_but('usage.log_position', 'next_offset', 'claim', 'claimed_by', 'claimed_at', 'moved_at');

-- What was in the log and could not be taken in: an event, or a whole message that could not be read.
create table usage.log_refusal (
  topic_id uuid not null,
  partition int not null,
  message_offset bigint not null,
  event_number int not null check (event_number >= 0), -- from 1 in its message; 0: the message as a whole
  code text not null,
  field text,
  detail text not null,
  content bytea not null check (length(content) <= 65536), -- what was refused, or its beginning
  content_bytes bigint not null check (content_bytes >= length(content)), -- how long it is
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (topic_id, partition, message_offset, event_number)
);
call public.make_append_only('usage.log_refusal');
grant select on usage.log_refusal to reckoner_app;
--> statement-breakpoint
-- Under one claim a position goes forward. Who sets one back takes a new claim, so that nobody reads on from the old place.
create function usage.keep_log_order() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.claim < old.claim or new.claim = old.claim and new.next_offset < old.next_offset then
    raise exception 'the position of partition % of % goes forward, from % under claim %',
      old.partition, old.topic, old.next_offset, old.claim using errcode = 'RK011';
  end if;
  return new;
end
$$;
create trigger position_goes_forward before update on usage.log_position for each row execute function usage.keep_log_order();
--> statement-breakpoint
-- Takes over partitions: [{ partition, log_start }]. Waits for what an earlier reader is about to commit, and gives where
-- to read on; of a partition that was never read, that is where its log starts.
create function usage.claim_log(topic_name text, id_of_topic uuid, claimant text, partitions jsonb)
returns table (of_partition int, from_offset bigint, under_claim bigint)
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from usage.log_position where topic = topic_name)
    and not exists (select from usage.log_position where topic_id = id_of_topic) then
    raise exception 'topic % was made anew: it has the id %, and was read under another', topic_name, id_of_topic
      using errcode = 'RK012';
  end if;
  return query
  insert into usage.log_position as p (topic_id, partition, topic, first_offset, next_offset, claimed_by)
  select id_of_topic, r.partition, topic_name, r.log_start, r.log_start, claimant
  from jsonb_to_recordset(partitions) as r (partition int, log_start bigint) order by r.partition
  on conflict (topic_id, partition) do update
    set claim = p.claim + 1, claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at
  returning p.partition, p.next_offset, p.claim;
end
$$;

-- Moves positions on: [{ partition, claim, expected, next }]. All of them, or the transaction fails: then somebody else has
-- taken over, or what is brought was committed before.
create function usage.advance_log(id_of_topic uuid, moves jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  moved int;
begin
  -- In one order, so that no two readers can wait for each other in a ring.
  perform from usage.log_position p join jsonb_to_recordset(moves) as m (partition int) using (partition)
  where p.topic_id = id_of_topic order by p.partition for update of p;
  update usage.log_position p set next_offset = m.next, moved_at = clock_timestamp()
  from jsonb_to_recordset(moves) as m (partition int, claim bigint, expected bigint, next bigint)
  where p.topic_id = id_of_topic and p.partition = m.partition and p.claim = m.claim and p.next_offset = m.expected;
  get diagnostics moved = row_count;
  if moved <> jsonb_array_length(moves) then
    raise exception 'the log was read on by another reader' using errcode = 'RK011';
  end if;
end
$$;

-- Keeps what was refused: an array of objects with the columns of usage.log_refusal, content in base64. Read again after a
-- position was set back, it is kept once.
create function usage.refuse_from_log(id_of_topic uuid, refusals jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into usage.log_refusal (topic_id, partition, message_offset, event_number, code, field, detail, content, content_bytes)
  select id_of_topic, partition, message_offset, event_number, code, field, detail, decode(content, 'base64'), content_bytes
  from jsonb_to_recordset(refusals) as r (partition int, message_offset bigint, event_number int, code text, field text,
    detail text, content text, content_bytes bigint)
  on conflict do nothing;
$$;

revoke execute on function usage.claim_log, usage.advance_log, usage.refuse_from_log, usage.keep_log_order from public;
grant execute on function usage.claim_log, usage.advance_log, usage.refuse_from_log to reckoner_app;
