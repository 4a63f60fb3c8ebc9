import { everyOne } from "#infra/base/every-one.ts";
import { pause } from "#infra/base/pause.ts";
import type { Engine, EngineInfo } from "#infra/engines/engine.ts";
import { type Log, RefusedError, silentLog, type Troupe } from "#runtime";
import { GONE_AFTER_MS, Host, HOST_NAME } from "./host.ts";

const EVERY_MS = 10_000;
const FIRST_MS = 500;
const CACHED_MS = 2_000;

/** The host of this process: it has a name once its engine has answered. */
export interface OwnHostName {
  name(): string | undefined;
  /** Resolves with the name, or with `undefined` when it was stopped before. */
  readonly named: Promise<string | undefined>;
  stop(): Promise<void>;
}

/**
 * Says every few seconds that the engine answers, under the name of its host: `wanted`, or the host's own name for
 * itself. Where another engine has that name, under one with a part of the engine's id.
 */
export function announceHost(options: {
  readonly troupe: Pick<Troupe, "ref">;
  readonly engine: Pick<Engine, "ping" | "driver">;
  readonly wanted?: string | undefined;
  readonly everyMs?: number;
  readonly log?: Log;
}): OwnHostName {
  const { troupe, engine, wanted, everyMs = EVERY_MS, log = silentLog } = options;
  const controller = new AbortController();
  const named = Promise.withResolvers<string | undefined>();
  let name: string | undefined;

  async function tell(): Promise<void> {
    const info = await engine.ping();
    const { id: engineId, version, arch, cpus, memoryBytes } = info;
    const facts = { driver: engine.driver, engineId, version, arch, cpus, memoryBytes };
    const names = name === undefined ? namesOf(wanted, info) : [name];
    for (const candidate of names) {
      try {
        await troupe.ref(Host, candidate).heard(facts);
        if (name === undefined) log("info", "host:named", { name: candidate });
        name = candidate;
        named.resolve(candidate);
        return;
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
      }
    }
  }

  const telling = (async () => {
    while (!controller.signal.aborted) {
      const told = await tell().then(
        () => true,
        (error: unknown) => {
          log("debug", "host:silent", { error: String(error) });
          return false;
        },
      );
      await pause(told || name !== undefined ? everyMs : FIRST_MS, controller.signal);
    }
    named.resolve(undefined);
  })();
  return {
    name: () => name,
    named: named.promise,
    async stop() {
      controller.abort();
      await telling;
    },
  };
}

/** The names of all hosts, asked for at most every two seconds. Those that are gone for good are left out. */
export function knownHosts(troupe: Pick<Troupe, "list">, nowMs = Date.now): () => Promise<readonly string[]> {
  let at = Number.NEGATIVE_INFINITY;
  let names: Promise<readonly string[]> = Promise.resolve([]);
  return () => {
    if (nowMs() - at < CACHED_MS) return names;
    at = nowMs();
    names = everyOne(troupe, Host).then((hosts) =>
      hosts.filter(({ state }) => nowMs() - state.seenAt < GONE_AFTER_MS).map(({ key }) => key),
    );
    names.catch(() => (at = Number.NEGATIVE_INFINITY));
    return names;
  };
}

function namesOf(wanted: string | undefined, { name, id }: EngineInfo): string[] {
  const own = (wanted ?? name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
    .slice(0, 50);
  const plain = HOST_NAME.test(own) ? own : "host";
  return [
    plain,
    `${plain}-${id
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, "")
      .slice(0, 8)}`,
  ];
}
