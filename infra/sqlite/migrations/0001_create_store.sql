-- One store: the tables a set of actor types lives in. The same as in `infra/postgres/migrations`, in SQLite's words.
-- Texts compare by their bytes. Times are milliseconds since the epoch; JSON is kept as the text that was written.

create table partitions (
  id          integer primary key,
  owner       text,
  epoch       integer not null default 0,
  -- Raised by one with every commit that touches the partition: tells whether a commit of unknown outcome happened.
  commit_seq  integer not null default 0,
  -- The last outbox sequence number given.
  last_seq    integer not null default 0
) strict;

insert into partitions (id)
with recursive ids (id) as (select 0 union all select id + 1 from ids where id < 63) select id from ids;

-- A node's lease. Partitions of a node whose lease has run out may be taken by another.
create table nodes (
  id          text primary key,
  expires_ms  integer not null,
  since_ms    integer not null,
  -- JSON: address, whether it takes partitions, the actor types it knows.
  card        text,
  -- The message, event and state schemas it runs with; read when another node starts.
  contracts   text
) strict, without rowid;

create table actor_states (
  type        text not null,
  key         text not null,
  version     integer not null,
  -- The version of its schema the state was written with, where the actor type has one.
  schema_version integer not null default 1,
  state       text not null,
  primary key (type, key)
) strict;

-- What was answered to a message id, so that a repeat acts no second time.
create table replies (
  type        text not null,
  key         text not null,
  id          text not null,
  hash        text not null,
  reply       text,
  at_ms       integer not null,
  primary key (type, key, id)
) strict;
create index replies_at on replies (at_ms);

-- Everything that leaves an actor: events, sends to other actors, workflow requests. Numbered by the partition's owner.
create table outbox (
  partition   integer not null,
  seq         integer not null,
  kind        text not null,
  id          text not null,
  name        text not null,
  actor_type  text not null,
  actor_key   text not null,
  target      text not null,
  body        text not null,
  at_ms       integer not null,
  traceparent text,
  primary key (partition, seq)
) strict;

-- Every event of journaled actors, kept for ever. `position` is the event's `seq` in the outbox, 0 for what is no event.
create table journal (
  type        text not null,
  key         text not null,
  seq         integer not null,
  partition   integer not null,
  position    integer not null,
  id          text not null,
  name        text not null,
  at_ms       integer not null,
  data        text not null,
  traceparent text,
  primary key (type, key, seq)
) strict;
create index journal_history on journal (type, partition, position);

-- How far each sink has got in each partition.
create table cursors (
  sink        text not null,
  partition   integer not null,
  seq         integer not null,
  primary key (sink, partition)
) strict, without rowid;

create table timers (
  type        text not null,
  key         text not null,
  name        text not null,
  partition   integer not null,
  due_ms      integer not null,
  message     text not null,
  input       text,
  -- When it comes again, as JSON; null for a timer that fires once.
  schedule    text,
  primary key (type, key, name)
) strict;
create index timers_due on timers (partition, due_ms);

-- Actors that take nothing until they are resumed. Written by the fenced commits of their partition's owner.
create table paused_actors (
  type        text not null,
  key         text not null,
  partition   integer not null,
  since_ms    integer not null,
  reason      text not null,
  primary key (type, key)
) strict, without rowid;
create index paused_actors_partition on paused_actors (partition);

-- What will not be tried again by itself, in the order of recording. `key` is what the order is kept by in a replay.
create table dead_letters (
  position    integer primary key autoincrement,
  id          text not null unique,
  reason      text not null,
  detail      text not null,
  target      text not null,
  attempts    integer not null,
  record      text not null,
  at_ms       integer not null,
  type        text,
  key         text not null
) strict;
create index dead_letters_key on dead_letters (key, position);

-- What actors can be found by: the fields their type indexes, as text whose bytes have the order of the values.
create table actor_index (
  type        text not null,
  key         text not null,
  field       text not null,
  value       text not null,
  partition   integer not null
) strict;
-- Named, because queries say which one they use.
create unique index actor_index_keys on actor_index (type, key, field);
create index actor_index_values on actor_index (type, field, value, key);

-- For which fields (a sorted JSON array) the rows of a type are complete in a partition. No row: for none.
create table indexed_fields (
  type        text not null,
  partition   integer not null,
  fields      text not null,
  primary key (type, partition)
) strict, without rowid;
