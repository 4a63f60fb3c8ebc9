-- One store: the tables a set of actor types lives in.
-- Names and keys compare by their bytes: the same order on every machine, and the cheapest.
-- Times are milliseconds since the epoch where the runtime computes with them; JSON is kept as the text that was written.

create table partitions (
  id          smallint primary key,
  owner       text,
  epoch       bigint not null default 0,
  -- Raised by one with every commit that touches the partition: tells whether a commit of unknown outcome happened.
  commit_seq  bigint not null default 0,
  -- The last outbox sequence number given.
  last_seq    bigint not null default 0
) with (fillfactor = 20);

insert into partitions (id) select generate_series(0, 63);

-- A node's lease. Partitions of a node whose lease has run out may be taken by another.
create table nodes (
  id          text primary key,
  expires_at  timestamptz not null
) with (fillfactor = 20);

create table actor_states (
  type        text collate "C" not null,
  key         text collate "C" not null,
  version     bigint not null,
  state       text not null,
  primary key (type, key)
) with (fillfactor = 70);

-- What was answered to a message id, so that a repeat acts no second time.
create table replies (
  type        text collate "C" not null,
  key         text collate "C" not null,
  id          text collate "C" not null,
  hash        text not null,
  reply       text,
  at_ms       bigint not null,
  primary key (type, key, id)
);
create index replies_at on replies using brin (at_ms);

-- Everything that leaves an actor: events, sends to other actors, workflow requests. Numbered by the partition's owner.
-- A row is a page: what one commit left of one kind in one partition. It is never changed, and deleted as a whole; a row
-- per record would double the cost of a commit. `outbox_records` shows the records.
create table outbox (
  partition   smallint not null,
  kind        text not null,
  last_seq    bigint not null,
  count       smallint not null,
  -- The time of the youngest record.
  at_ms       bigint not null,
  -- JSON: [[seq, id, name, actor type, actor key, target or null, traceparent or null, at_ms, body], …]
  records     text not null,
  primary key (partition, kind, last_seq)
);
-- Compressing a page takes longer than writing it.
alter table outbox alter column records set storage external;

create view outbox_records as
  select partition, (r ->> 0)::bigint as seq, kind, to_timestamp((r ->> 7)::bigint / 1000.0) as at, r ->> 1 as id,
         r ->> 2 as name, r ->> 3 as actor_type, r ->> 4 as actor_key, coalesce(r ->> 5, r ->> 4) as target,
         r ->> 6 as traceparent, (r ->> 8)::json as body
  from outbox, lateral json_array_elements(records::json) r;

-- How far each sink has got in each partition.
create table cursors (
  sink        text not null,
  partition   smallint not null,
  seq         bigint not null,
  primary key (sink, partition)
) with (fillfactor = 20);

create table timers (
  type        text collate "C" not null,
  key         text collate "C" not null,
  name        text collate "C" not null,
  partition   smallint not null,
  due_ms      bigint not null,
  message     text not null,
  input       text,
  primary key (type, key, name)
);
create index timers_due on timers (partition, due_ms);

-- What will not be tried again by itself.
create table dead_letters (
  id          text primary key,
  reason      text not null,
  detail      text not null,
  target      text not null,
  attempts    integer not null,
  record      json not null,
  at_ms       bigint not null
);

-- Raised inside a commit whose fence does not hold: the whole statement is rolled back.
create function refuse_commit() returns boolean language plpgsql as $$
begin
  raise exception 'a partition of this commit is held by another node' using errcode = 'TRF01';
end
$$;
