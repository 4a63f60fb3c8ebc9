-- The record as it failed, once somebody changed it, and who did when (JSON).
alter table dead_letters
  add column original text,
  add column edits text;

-- Pages of what fits a filter, and summaries of it, without looking at what does not.
create index dead_letters_reason on dead_letters (reason, position);
create index dead_letters_type on dead_letters (type, position);
create index dead_letters_at on dead_letters (at_ms, reason, type);

-- How many letters there are of each reason: exact, as every statement that changes that writes it in its transaction.
create table dead_letter_counts (
  reason      text primary key,
  count       bigint not null
);

create function count_dead_letters() returns trigger language plpgsql as $$
begin
  -- In one order everywhere: two statements with several reasons must not wait for each other in a circle.
  if tg_op = 'INSERT' then
    insert into dead_letter_counts as c (reason, count)
    select reason, count(*) from changed group by reason order by reason
    on conflict (reason) do update set count = c.count + excluded.count;
  else
    insert into dead_letter_counts as c (reason, count)
    select reason, -count(*) from changed group by reason order by reason
    on conflict (reason) do update set count = c.count + excluded.count;
  end if;
  return null;
end $$;

-- Making a trigger locks the table against writes until this transaction ends: nothing comes between it and the count.
create trigger dead_letters_inserted after insert on dead_letters
  referencing new table as changed for each statement execute function count_dead_letters();
create trigger dead_letters_deleted after delete on dead_letters
  referencing old table as changed for each statement execute function count_dead_letters();
insert into dead_letter_counts (reason, count) select reason, count(*) from dead_letters group by reason;
