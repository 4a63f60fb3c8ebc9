-- The record as it failed, once somebody changed it, and who did when (JSON).
alter table dead_letters add column original text;
alter table dead_letters add column edits text;

-- Pages of what fits a filter, and summaries of it, without looking at what does not.
create index dead_letters_reason on dead_letters (reason, position);
create index dead_letters_type on dead_letters (type, position);
create index dead_letters_at on dead_letters (at_ms, reason, type);

-- How many letters there are of each reason, kept by every change.
create table dead_letter_counts (
  reason      text primary key,
  count       integer not null
) strict;
insert into dead_letter_counts (reason, count) select reason, count(*) from dead_letters group by reason;

create trigger dead_letters_inserted after insert on dead_letters begin
  insert into dead_letter_counts (reason, count) values (new.reason, 1)
  on conflict (reason) do update set count = count + 1;
end;
create trigger dead_letters_deleted after delete on dead_letters begin
  update dead_letter_counts set count = count - 1 where reason = old.reason;
end;
