import type { Engine } from "../engines/engine.ts";

/**
 * Whether there is an engine. `absent`: it has never answered, so nothing can be known about services.
 * `unreachable`: it has answered before and is expected back.
 */
export type DockerStatus =
  | { readonly state: "ready"; readonly version: string }
  | { readonly state: "unreachable" | "absent"; readonly reason: string };

/** Makes the question "is Docker there?" for one engine. It remembers whether the engine ever answered. */
export function dockerStatus(engine: Engine): () => Promise<DockerStatus> {
  let seen = false;
  return async () => {
    try {
      const info = await engine.ping();
      seen = true;
      return { state: "ready", version: info.version };
    } catch (error) {
      return { state: seen ? "unreachable" : "absent", reason: (error as Error).message };
    }
  };
}
