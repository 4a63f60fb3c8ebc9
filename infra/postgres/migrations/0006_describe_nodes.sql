-- What nodes tell each other: nodes of the version before leave these empty.
alter table nodes
  add column since      timestamptz not null default now(),
  -- JSON: address, whether it takes partitions, the actor types it knows.
  add column card       text,
  -- The message, event and state schemas it runs with; read when another node starts.
  add column contracts  text;
