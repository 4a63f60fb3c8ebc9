-- The sinks that some process has: what is not published to all of those of its kind is kept. `seen_ms`: when one last had it.
create table sinks (
  name        text primary key,
  kind        text not null,
  seen_ms     integer not null
) strict, without rowid;
