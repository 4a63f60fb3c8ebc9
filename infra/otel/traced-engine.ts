import type { Engine } from "#infra/engines/engine.ts";
import { isRecorded } from "#runtime";
import type { Otel } from "./otel.ts";

/** Calls that answer once; the others are streams. */
const CALLS = ["inspect", "create", "start", "stop", "remove", "mend", "image", "pull", "list"] as const;

/** An engine whose calls are told of where they are part of a trace that is recorded. */
export function tracedEngine(engine: Engine, tracing: Otel): Engine {
  const traced: Record<string, unknown> = {};
  for (const name of CALLS) {
    const call = engine[name].bind(engine) as (...args: unknown[]) => Promise<unknown>;
    traced[name] = async (...args: unknown[]): Promise<unknown> => {
      const parent = tracing.active();
      if (!isRecorded(parent)) return await call(...args);
      const attributes = {
        "rpc.system.name": engine.driver,
        "rpc.method": name,
        "container.runtime.name": engine.driver,
      };
      const span = tracing.begin({ name: `${engine.driver} ${name}`, kind: "client", parent, attributes });
      try {
        const answer = await tracing.within(span.traceparent, () => call(...args));
        span.end();
        return answer;
      } catch (error) {
        span.end(error);
        throw error;
      }
    };
  }
  // The other members as they are, also those of a class.
  return new Proxy(engine, {
    get(target, name) {
      if (typeof name === "string" && Object.hasOwn(traced, name)) return traced[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
