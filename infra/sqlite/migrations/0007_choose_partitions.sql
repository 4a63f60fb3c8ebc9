-- What was chosen when the store was made, in one row: written by the first process that opens it.
create table store_settings (
  one         integer primary key check (one = 1),
  partitions  integer not null
) strict;
