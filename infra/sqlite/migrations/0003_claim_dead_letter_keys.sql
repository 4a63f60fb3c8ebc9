-- Who replays, edits or drops the letters of a key right now. Times are milliseconds since the epoch: all processes of a file
-- share the clock of their machine.
create table dead_letter_claims (
  key      text primary key,
  owner    text not null,
  until_ms integer not null
) strict, without rowid;
