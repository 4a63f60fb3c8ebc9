-- no transaction
-- What is too old is found without a look at what is not, also before anybody has vacuumed the table. One that was broken off
-- leaves an index that is not valid: it is made anew.
drop index concurrently if exists replies_by_age;
create index concurrently replies_by_age on replies (at_ms);
drop index concurrently if exists replies_at;
