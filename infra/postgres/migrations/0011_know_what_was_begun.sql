-- Messages to actors that were begun after their node had died, and are not known to have ended: how often.
create table begun_messages (
  type        text collate "C" not null,
  key         text collate "C" not null,
  id          text collate "C" not null,
  partition   smallint not null,
  count       smallint not null,
  at_ms       bigint not null,
  primary key (type, key, id)
);
create index begun_messages_partition on begun_messages (partition);
