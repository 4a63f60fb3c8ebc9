import * as v from "valibot";
import { DEFAULT_UPDATE } from "../scaler/messages.ts";
import { MAX_REPLICAS, Replicas } from "../service/messages.ts";
import {
  DurationText,
  EnvValue,
  isCron,
  isZone,
  Memory,
  NameText,
  Percent,
  Port,
  PortNumber,
  Text,
  Volume,
  Whole,
} from "./values.ts";

export const MAX_SERVICES = 100;
export const REPLICAS_RANGE = `a whole number from 0 to ${MAX_REPLICAS}`;

const MUST_BE_MAP = "must be a map";
const list = <const S extends v.GenericSchema>(item: S, max: number) =>
  v.pipe(v.array(item, "must be a list"), v.maxLength(max, `must be at most ${max} long`));

const Resources = v.object(
  {
    memory: v.optional(Memory, "256MiB"),
    cpus: v.optional(v.pipe(v.number("must be a number"), v.minValue(0.01, "must be at least 0.01")), 1),
    pids: v.optional(
      v.pipe(v.number("must be a number"), v.integer("must be whole"), v.minValue(1, "must be at least 1")),
      128,
    ),
  },
  MUST_BE_MAP,
);

const Health = v.pipe(
  v.object(
    {
      http: v.optional(v.pipe(Text(1_024), v.regex(/^\/[\x21-\x7e]*$/, 'must be a path, as in "/health"'))),
      tcp: v.optional(PortNumber),
      exec: v.optional(v.pipe(list(Text(4_096), 64), v.minLength(1, "must name a command"))),
      port: v.optional(PortNumber),
      interval: v.optional(DurationText(100, 600_000), "2s"),
      timeout: v.optional(DurationText(50, 60_000), "1s"),
      retries: v.optional(Whole(1, 100), 3),
      startPeriod: v.optional(DurationText(0, 3_600_000), "5s"),
    },
    MUST_BE_MAP,
  ),
  v.check(
    ({ http, tcp, exec }) => [http, tcp, exec].filter((one) => one !== undefined).length === 1,
    "must have exactly one of http, tcp and exec",
  ),
  v.check(({ http, port }) => port === undefined || http !== undefined, "takes port beside http alone"),
);

const Update = v.pipe(
  v.object(
    {
      order: v.optional(
        v.picklist(["start-first", "stop-first"], 'must be "start-first" or "stop-first"'),
        "start-first",
      ),
      maxSurge: v.optional(Whole(0, MAX_REPLICAS), DEFAULT_UPDATE.maxSurge),
      maxUnavailable: v.optional(Whole(0, MAX_REPLICAS), DEFAULT_UPDATE.maxUnavailable),
      minReady: v.optional(DurationText(0, 3_600_000)),
      deadline: v.optional(DurationText(1_000, 24 * 3_600_000), "2m"),
      maxFailures: v.optional(Whole(1, 1_000), DEFAULT_UPDATE.maxFailures),
      canary: v.optional(Percent(1, 50)),
    },
    MUST_BE_MAP,
  ),
  v.check(
    ({ order, maxSurge, maxUnavailable }) => order === "stop-first" || maxSurge + maxUnavailable > 0,
    "must let maxSurge or maxUnavailable be more than 0: otherwise nothing can be replaced",
  ),
);

const perReplica = v.pipe(v.number("must be a number"), v.gtValue(0, "must be more than 0"));
const On = v.pipe(
  v.object(
    {
      inFlight: v.optional(perReplica),
      cpu: v.optional(Percent(1, 100)),
      memory: v.optional(Percent(1, 100)),
      kafkaLag: v.optional(v.object({ group: Text(255), topic: Text(249), perReplica }, MUST_BE_MAP)),
      natsPending: v.optional(v.object({ stream: Text(255), consumer: Text(255), perReplica }, MUST_BE_MAP)),
      rabbitmqReady: v.optional(v.object({ queue: Text(255), perReplica }, MUST_BE_MAP)),
      redisPending: v.optional(v.object({ stream: Text(1_024), group: Text(1_024), perReplica }, MUST_BE_MAP)),
      temporalBacklog: v.optional(v.object({ taskQueue: Text(255), perReplica }, MUST_BE_MAP)),
      mailbox: v.optional(v.object({ type: Text(63), perReplica }, MUST_BE_MAP)),
    },
    MUST_BE_MAP,
  ),
  v.check((on) => Object.keys(on).length > 0, "must name at least one thing to scale on, as in { inFlight: 20 }"),
);

const Scale = v.pipe(
  v.object(
    {
      min: v.optional(Replicas, 1),
      max: v.pipe(Replicas, v.minValue(1)),
      on: On,
      up: v.optional(DurationText(0, 3_600_000), "0s"),
      down: v.optional(DurationText(0, 3_600_000), "60s"),
      toZeroAfter: v.optional(DurationText(1_000, 24 * 3_600_000)),
    },
    MUST_BE_MAP,
  ),
  v.check(({ min, max }) => min <= max, "must not have a min above its max"),
);

const Cron = v.pipe(
  Text(255),
  v.check(isCron, 'must be a cron line of five fields, as in "0 3 * * *"'),
  v.transform((text) => text.trim().replaceAll(/\s+/g, " ")),
);
const Zone = v.pipe(Text(64), v.check(isZone, "must be a time zone, as in Europe/Berlin"));
const Schedule = v.pipe(
  v.object(
    {
      cron: v.optional(Cron),
      once: v.optional(v.literal(true, "must be true")),
      zone: v.optional(Zone),
      concurrency: v.optional(v.picklist(["allow", "forbid", "replace"], "must be allow, forbid or replace"), "forbid"),
      deadline: v.optional(DurationText(1_000, 24 * 3_600_000), "1h"),
      history: v.optional(Whole(1, 100), 10),
    },
    MUST_BE_MAP,
  ),
  v.check(({ cron, once }) => (cron === undefined) !== (once === undefined), "must have exactly one of cron and once"),
  v.check(({ cron, zone }) => zone === undefined || cron !== undefined, "takes zone beside cron alone"),
);

/** What a service with a schedule does not have: it runs to its end, and nobody calls it. */
export const NOT_FOR_JOBS = ["replicas", "ports", "health", "update", "scale", "dependsOn"] as const;

/** A service as it is written in the file; unknown keys are found elsewhere, all of them at once. */
export const RawService = v.object(
  {
    image: Text(255),
    replicas: v.optional(v.pipe(Replicas, v.number())),
    command: v.optional(
      v.pipe(v.array(Text(4_096), "must be a list of texts"), v.maxLength(64, "must be at most 64 texts")),
      [],
    ),
    env: v.optional(v.record(v.string(), EnvValue, "must be a map, or a list of NAME=value"), {}),
    ports: v.optional(list(Port, 32), []),
    volumes: v.optional(list(Volume, 32), []),
    networks: v.optional(list(NameText, 8), []),
    secrets: v.optional(list(NameText, 32), []),
    health: v.optional(Health),
    resources: v.optional(Resources, {}),
    update: v.optional(Update),
    scale: v.optional(Scale),
    schedule: v.optional(Schedule),
    dependsOn: v.optional(list(NameText, 32), []),
    stop: v.optional(v.object({ grace: v.optional(DurationText(0, 300_000), "10s") }, MUST_BE_MAP)),
  },
  MUST_BE_MAP,
);
export type RawService = v.InferOutput<typeof RawService>;

/** The keys that each map of a service takes, by its place below the service. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(RawService.entries),
  resources: Object.keys(Resources.entries),
  health: Object.keys(Health.pipe[0].entries),
  update: Object.keys(Update.pipe[0].entries),
  scale: Object.keys(Scale.pipe[0].entries),
  "scale/on": Object.keys(On.pipe[0].entries),
  ...Object.fromEntries(
    Object.entries(On.pipe[0].entries).flatMap(([key, schema]) =>
      "entries" in schema.wrapped ? [[`scale/on/${key}`, Object.keys(schema.wrapped.entries as object)]] : [],
    ),
  ),
  schedule: Object.keys(Schedule.pipe[0].entries),
  stop: ["grace"],
};
