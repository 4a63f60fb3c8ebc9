/** One node, as a process of its own, whose handlers may kill it: `bun kills-process.fixture.ts DATABASE_URL`. */
import * as v from "valibot";
import { actor, createTroupe, silentLog } from "#runtime";
import { postgresStore } from "./store.ts";

/** `explode` ends the process in the middle of its turn. */
export const Worker = actor("worker", {
  state: v.object({ done: v.number() }),
  initial: () => ({ done: 0 }),
  messages: ({ command }) => ({
    work: command({}, (c) => {
      c.state.done++;
    }),
    explode: command({}, () => {
      process.kill(process.pid, "SIGKILL");
    }),
  }),
});

/** Leaves, in one turn, a deadly send and a deadly timer, and some that are not. */
export const Boss = actor("boss", {
  state: v.object({ began: v.boolean() }),
  initial: () => ({ began: false }),
  messages: ({ command }) => ({
    begin: command({}, (c) => {
      c.state.began = true;
      for (const key of ["a", "b", "c"]) c.send(Worker, key, "work");
      c.send(Worker, "a", "explode");
      c.send(Worker, "a", "work");
      c.timers.set("job", { in: 0, send: "tick" });
      c.timers.set("bomb", { in: 0, send: "explode" });
    }),
    tick: command({}, (c) => c.send(Worker, "d", "work")),
    explode: command({}, () => {
      process.kill(process.pid, "SIGKILL");
    }),
  }),
});

if (import.meta.main) {
  const store = postgresStore(process.argv[2] ?? "");
  const troupe = await createTroupe({
    actors: [Worker, Boss],
    stores: { default: store },
    leaseMs: 300,
    log: silentLog,
  });
  await troupe.ref(Boss, "boss").begin(undefined, { id: "begin" });
  setInterval(() => undefined, 60_000); // the runtime's own timers do not keep a process
}
