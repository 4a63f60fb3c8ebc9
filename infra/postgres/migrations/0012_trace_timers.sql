-- What the turn of a timer is part of: the trace of the turn that set it. Null: a trace of its own.
alter table timers add column traceparent text;
