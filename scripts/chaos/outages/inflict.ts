import { pause } from "#infra/base/pause.ts";
import type { Random } from "../random.ts";
import type { Action } from "./faults.ts";
import type { Server } from "./history.ts";
import type { OwnSystem } from "./system.ts";

/** What {@link inflict} works with. */
export interface Means {
  readonly system: OwnSystem;
  readonly random: Random;
  /** How long a broker is away at least, in milliseconds. */
  readonly awayMs: number;
  /** Resolves when `/ready` has named a server as down, or when there is no more hope for it. */
  named(server: Server): Promise<void>;
}

const POSTGRES_AWAY_MS = [500, 3_000] as const;
/** Commits and publishes until the app ends itself: beyond its start, and soon. */
const FAILPOINT_AT: Readonly<Record<"after-commit" | "after-publish", readonly [number, number]>> = {
  "after-commit": [50, 400],
  "after-publish": [300, 3_000],
};

/** Lets a fault happen. Resolves when what it took away runs again, whether or not anything has recovered from it. */
export async function inflict(action: Action, { system, random, awayMs, named }: Means): Promise<void> {
  switch (action.kind) {
    case "away": {
      const server = system.server(action.broker);
      if (action.how === "kill") await server.kill();
      else await server.hang();
      await Promise.all([pause(awayMs), named(action.broker)]);
      if (action.how === "kill") await server.start();
      else server.resume();
      return;
    }
    case "failpoint": {
      const at = random.whole(...FAILPOINT_AT[action.name]);
      await system.app.stop();
      const doomed = system.startApp({ TROUPE_FAILPOINT: `${action.name}:${at}` });
      await doomed.exited;
      await system.startApp().ready();
      return;
    }
    case "postgres-restart": {
      const server = system.server("postgres");
      await server.kill("SIGQUIT");
      await Promise.all([pause(random.whole(...POSTGRES_AWAY_MS)), named("postgres")]);
      await server.start();
      return;
    }
    case "postgres-backends":
      return system.endBackends();
  }
}
