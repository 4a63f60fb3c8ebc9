-- The timers that are due next are read in their order, as many as fit: with an index by partition all that are due had to be
-- sorted for each page.
create index timers_in_order on timers (due_ms, type, key, name);
drop index timers_due;
