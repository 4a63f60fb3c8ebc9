import type { NamedRoute } from "#actors/gateway/route/messages.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { schemaOf } from "#actors/gateway/schema/stored.ts";
import type { SourceConfig } from "#actors/gateway/source/messages.ts";
import { Source } from "#actors/gateway/source/source.ts";
/**
 * What this node knows of sources, schemas and routes, so that an event costs no look-up.
 *
 * D1 Before the first look has succeeded nothing is known: whoever asks waits, or is told to come again.
 * D2 A change is in force here as soon as the topic `gateway` tells of it. A message that was lost is made up for by a
 *    look every few seconds.
 * D3 A schema that cannot be compiled here right now lets nothing through.
 */
import { pause } from "#infra/base/pause.ts";
import type { CompiledSchema, SchemaValidator } from "#infra/schemas/validator.ts";
import { openWhatOpens, type SecretBox } from "#infra/secrets/secret-box.ts";
import type { AnyActorType, Log, StateOutput, Troupe } from "#runtime";

const LOOK_EVERY_MS = 5_000;
const FOLLOW_AGAIN_MS = 1_000;
const PAGE = 200;

interface KnownSchema {
  readonly version: number;
  /** `undefined`: could not be compiled when it was last tried. */
  readonly compiled: CompiledSchema | undefined;
}

/** The schema of a type: `undefined` where there is none, `"unknown"` while it cannot be used. */
export type UsableSchema = CompiledSchema | "unknown" | undefined;

/** The gateway's configuration, as this node has it. */
export class Directory implements Disposable {
  readonly #troupe: Pick<Troupe, "list" | "topics">;
  readonly #validator: SchemaValidator;
  readonly #secrets: Pick<SecretBox, "open">;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #routes: readonly NamedRoute[] | undefined;
  /** `undefined`: its secrets do not open here. */
  #sources: ReadonlyMap<string, SourceConfig | undefined> = new Map();
  #schemas: ReadonlyMap<string, KnownSchema> = new Map();
  #looking: Promise<void> | undefined;
  #again: Promise<void> | undefined;

  constructor(
    troupe: Pick<Troupe, "list" | "topics">,
    validator: SchemaValidator,
    secrets: Pick<SecretBox, "open">,
    log: Log,
  ) {
    this.#troupe = troupe;
    this.#validator = validator;
    this.#secrets = secrets;
    this.#log = log;
    const timer = setInterval(() => this.#lookLater(), LOOK_EVERY_MS);
    this.#stopping.signal.addEventListener("abort", () => clearInterval(timer));
    this.#lookLater();
    void this.#follow();
  }

  /** Resolves after the first look; Directory.D1. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The routes in force. */
  routes(): readonly NamedRoute[] | Promise<readonly NamedRoute[]> {
    return this.#routes ?? this.ready.then(() => this.#routes ?? []);
  }

  /** A source with its secrets, opened; `"unreadable"` where none of them opens. */
  async source(name: string): Promise<SourceConfig | "unreadable" | undefined> {
    await this.ready;
    return this.#sources.get(name) ?? (this.#sources.has(name) ? "unreadable" : undefined);
  }

  /** Whether a source of that name is registered, as far as this node knows. */
  hasSource(name: string): boolean {
    return this.#sources.has(name);
  }

  /** The schema of an event type; a promise before the first look. */
  schema(type: string): UsableSchema | Promise<UsableSchema> {
    // Directory.D1: the routes are there from the first look on.
    return this.#routes === undefined ? this.ready.then(() => this.#usable(type)) : this.#usable(type);
  }

  #usable(type: string): UsableSchema {
    const known = this.#schemas.get(type);
    return known === undefined ? undefined : (known.compiled ?? "unknown"); // Directory.D3
  }

  /** Looks anew. What was committed before the call is known afterwards. */
  refresh(): Promise<void> {
    if (this.#looking === undefined) {
      this.#looking = this.#look().finally(() => (this.#looking = undefined));
      return this.#looking;
    }
    return (this.#again ??= this.#lookAfter(this.#looking));
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  #lookLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.refresh().catch((error: unknown) => this.#log("warn", "gateway:look:failed", { error }));
  }

  /** The look under way may have begun too early. */
  async #lookAfter(looking: Promise<void>): Promise<void> {
    await looking.catch(() => undefined);
    this.#again = undefined;
    await this.refresh();
  }

  async #look(): Promise<void> {
    const [routes, sources, schemas] = await Promise.all([this.#all(Route), this.#all(Source), this.#all(EventSchema)]);
    const compiled = new Map<string, KnownSchema>();
    for (const { key, state } of schemas) {
      const latest = state.versions.at(-1);
      if (latest !== undefined) compiled.set(key, await this.#compiled(key, latest.version, schemaOf(latest)));
    }
    this.#schemas = compiled;
    const known = sources.flatMap(({ key, state }) => (state.config === null ? [] : [{ key, config: state.config }]));
    const opened = known.map(async ({ key, config }) => [key, await this.#opened(key, config)] as const);
    this.#sources = new Map(await Promise.all(opened));
    this.#routes = routes.flatMap(({ key, state }) => (state.config === null ? [] : [{ name: key, ...state.config }]));
    this.#ready.resolve();
  }

  async #opened(name: string, config: SourceConfig): Promise<SourceConfig | undefined> {
    try {
      return { ...config, secrets: await openWhatOpens(this.#secrets, config.secrets, `source/${name}`) };
    } catch (error) {
      if (!this.#sources.has(name) || this.#sources.get(name) !== undefined)
        this.#log("error", "gateway:source:unreadable", { source: name, error });
      return undefined;
    }
  }

  async #compiled(type: string, version: number, schema: unknown): Promise<KnownSchema> {
    const known = this.#schemas.get(type);
    if (known?.version === version && known.compiled !== undefined) return known;
    const compiled = await this.#validator.compile(schema);
    if ("check" in compiled) return { version, compiled };
    this.#log("error", "gateway:schema:failed", { type, version, faults: compiled.map(({ message }) => message) });
    return { version, compiled: undefined };
  }

  async #all<A extends AnyActorType>(type: A): Promise<{ readonly key: string; readonly state: StateOutput<A> }[]> {
    const found: { readonly key: string; readonly state: StateOutput<A> }[] = [];
    for (let after: string | undefined; ;) {
      const rows = await this.#troupe.list(type, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      found.push(...rows);
      after = rows.at(-1)?.key;
      if (rows.length < PAGE) return found;
    }
  }

  /** Directory.D2 */
  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const subscription = await this.#troupe.topics.subscribe(["gateway"], { signal });
        await this.refresh();
        for await (const _ of subscription) await this.refresh();
      } catch (error) {
        if (!signal.aborted) this.#log("warn", "gateway:follow:failed", { error });
      }
      if (!signal.aborted) await pause(FOLLOW_AGAIN_MS, signal);
    }
  }
}
