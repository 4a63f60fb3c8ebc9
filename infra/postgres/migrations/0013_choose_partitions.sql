-- What was chosen when the store was made, in one row: written by the first process that opens it.
create table store_settings (
  one         boolean primary key default true check (one),
  partitions  smallint not null
);
