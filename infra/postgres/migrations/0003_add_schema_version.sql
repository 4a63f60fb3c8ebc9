-- The version of its schema a state was written with, where an actor type has one. Nodes of the release before leave it
-- at 1, which is what they write.
alter table actor_states add column schema_version smallint not null default 1;
