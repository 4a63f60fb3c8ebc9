-- What actors can be found by: the fields their type indexes, written in the commit of the state.

create table actor_index (
  type        text collate "C" not null,
  key         text collate "C" not null,
  field       text collate "C" not null,
  -- Text whose bytes have the order of the values, of whatever kind they are: null, booleans, numbers, strings.
  value       text collate "C" not null,
  partition   smallint not null,
  primary key (type, key, field)
) with (fillfactor = 70);
create index actor_index_values on actor_index (type, field, value, key);

-- For which fields (a sorted JSON array) the rows of a type are complete in a partition. No row: for none.
create table indexed_fields (
  type        text collate "C" not null,
  partition   smallint not null,
  fields      text not null,
  primary key (type, partition)
);
