-- Every event of a journaled actor, for ever. The outbox, which is pruned, has them too; `position` is the place there.
create table journal (
  type        text collate "C" not null,
  key         text collate "C" not null,
  -- Contiguous per actor, from 1.
  seq         bigint not null,
  partition   smallint not null,
  -- The event's outbox sequence number; 0 for a row that is no event.
  position    bigint not null,
  id          text not null,
  name        text not null,
  at_ms       bigint not null,
  data        text not null,
  traceparent text,
  primary key (type, key, seq)
);
-- The way a read model is built from history.
create index journal_history on journal (type, partition, position) where position > 0;
