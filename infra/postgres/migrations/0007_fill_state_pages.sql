-- Pages of states are filled. With room left on purpose Postgres cleans up a page at nearly every update of it, as that
-- room is less than what it wants to see free; on full pages an actor that is written moves, once, to a page with room,
-- where those that are written often come together and are cleaned up many at a time.
alter table actor_states reset (fillfactor);
