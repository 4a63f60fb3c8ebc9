-- Who replays, edits or drops the letters of a key right now, and until when.
create table dead_letter_claims (
  key    text primary key,
  owner  text not null,
  until  timestamptz not null
);
