-- Messages to actors that were begun after their process had died, and are not known to have ended: how often.
create table begun_messages (
  type        text not null,
  key         text not null,
  id          text not null,
  partition   integer not null,
  count       integer not null,
  at_ms       integer not null,
  primary key (type, key, id)
) strict, without rowid;
