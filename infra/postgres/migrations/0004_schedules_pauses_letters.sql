-- When a recurring timer comes again, as JSON; null for a timer that fires once.
alter table timers add column schedule text;

-- Actors that take nothing until they are resumed. Written by the fenced commits of their partition's owner.
create table paused_actors (
  type        text collate "C" not null,
  key         text collate "C" not null,
  partition   smallint not null,
  since_ms    bigint not null,
  reason      text not null,
  primary key (type, key)
);
create index paused_actors_partition on paused_actors (partition);

-- The order of recording, what a letter is about, and what its order is kept by in a replay.
alter table dead_letters
  add column position bigint generated always as identity,
  add column type text collate "C",
  add column key text collate "C";
update dead_letters set
  type = case when target like '%/%' then split_part(target, '/', 1) else record ->> 'name' end,
  key = case when target like '%/%' then target else target || ':' || coalesce(record ->> 'target', '') end;
create unique index dead_letters_position on dead_letters (position);
-- A node of the version before writes no key.
create index dead_letters_key on dead_letters (coalesce(key, target), position);
