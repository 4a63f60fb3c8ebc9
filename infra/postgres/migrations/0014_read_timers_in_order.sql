-- no transaction
-- The timers that are due next are read in their order, as many as fit: with an index by partition all that are due had to be
-- sorted for each page. One that was broken off leaves an index that is not valid: it is made anew.
drop index concurrently if exists timers_in_order;
create index concurrently timers_in_order on timers (due_ms, type, key, name);
drop index concurrently if exists timers_due;
