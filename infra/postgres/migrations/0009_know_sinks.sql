-- The sinks that some node has: what is not published to all of those of its kind is kept. `seen_ms`: when a node last had it.
create table sinks (
  name        text primary key,
  kind        text not null,
  seen_ms     bigint not null
);
