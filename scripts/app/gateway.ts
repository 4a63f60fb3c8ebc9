import { createEndpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { Directory } from "#actors/gateway/http/directory.ts";
import { misfitOf } from "#actors/gateway/http/intake.ts";
import { createInbox } from "#actors/gateway/inbox/inbox.ts";
import { createRedrive } from "#actors/gateway/redrive/redrive.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { createSource } from "#actors/gateway/source/source.ts";
import { SchemaValidator } from "#infra/schemas/validator.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import { type AnyActorType, type Log, type Store, type Troupe } from "#runtime";
import { retriesOf, type RoutingSettings, unroutedOf } from "./routing.ts";
import { secretsOf } from "./secrets.ts";
import type { Settings } from "./settings.ts";

/** The event gateway's part of a process: its actors, and what this node knows of its configuration. */
export interface Gateway {
  readonly actors: readonly AnyActorType[];
  /** All of its actors live in one store, so that an event and where it goes are one commit. */
  storesOf(store: Store): Readonly<Record<string, Store>>;
  /** Begins to follow the configuration. */
  start(troupe: Troupe): void;
  /** `undefined` before the start. */
  directory(): Directory | undefined;
  readonly validator: SchemaValidator;
  /** Opens what its actors seal. */
  readonly secrets: SecretBox;
  /** Which addresses endpoints may lead to: `undefined` for public ones. */
  readonly allows: ((address: string) => boolean) | undefined;
  stop(): void;
}

/** Makes the gateway's actors. Nothing runs before `start`. @param live the settings in force now. */
export function createGateway(
  settings: Pick<Settings, "WEBHOOK_ALLOW_PRIVATE"> & Partial<Pick<Settings, "TROUPE_SECRET_KEY" | "TROUPE_AUTH">>,
  live: () => RoutingSettings,
  log: Log,
): Gateway {
  const validator = new SchemaValidator();
  const secrets = secretsOf(settings, log);
  const begun = Promise.withResolvers<Directory>();
  let directory: Directory | undefined;
  const inbox = createInbox({
    routes: () => directory?.routes() ?? begun.promise.then((known) => known.routes()),
    check: (event) =>
      directory === undefined ? begun.promise.then((known) => misfitOf(known, event)) : misfitOf(directory, event),
    unrouted: () => unroutedOf(live()),
    get retriesMs() {
      return retriesOf(live());
    },
  });
  const running = Promise.withResolvers<Troupe>();
  const redrive = createRedrive({
    summary: async (filter) => (await running.promise).deadLetters.summary(filter),
    replaySome: async (filter, options) => (await running.promise).deadLetters.replaySome(filter, options),
  });
  const actors: readonly AnyActorType[] = [
    inbox,
    createSource(secrets),
    EventSchema,
    Route,
    createEndpoint(secrets),
    redrive,
  ];
  return {
    actors,
    storesOf: (store) => Object.fromEntries(actors.map(({ type }) => [type, store])),
    start(troupe) {
      running.resolve(troupe);
      directory = new Directory(troupe, validator, secrets, log);
      begun.resolve(directory);
    },
    directory: () => directory,
    validator,
    secrets,
    allows: settings.WEBHOOK_ALLOW_PRIVATE === "on" ? () => true : undefined,
    stop() {
      directory?.[Symbol.dispose]();
      validator[Symbol.dispose]();
    },
  };
}
