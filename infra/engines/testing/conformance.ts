import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../../testing/eventually.ts";
import type { ContainerRecord, ContainerSpec, LogLine } from "../container.ts";
import type { Engine, EngineEvent } from "../engine.ts";
import { EngineError } from "../errors.ts";

/** A driver and what its containers can be. */
export interface EngineUnderTest {
  /** An engine for a cluster. Several are asked for, of one server. */
  connect(cluster: string): Engine;
  /** Sees to it that the engine has this image, which serves HTTP at `$PORT` (8080), and knows `crash` and `exit`. */
  readonly image: string;
  prepare(engine: Engine): Promise<void>;
  /**
   * `real`: containers run. `pretended`: the server is real, its machines are not: nothing is served, written or checked,
   * and a container ends when `crash` says so.
   */
  readonly containers: { readonly kind: "real" } | { readonly kind: "pretended"; crash(id: string): Promise<void> };
  close(): Promise<void>;
}

const WITHIN_MS = 60_000;

/** Declares the tests that every {@link Engine} passes, against a server of its kind. `setup` is called once. */
export function engineConformance(
  name: string,
  setup: () => Promise<EngineUnderTest>,
  {
    pretended = false,
    knowsImages = true,
  }: {
    /** As `containers` of the subject says: what only a container that runs can show is skipped. @default false */
    readonly pretended?: boolean;
    /** Whether containers of an image that the engine does not have are refused when they are made. @default true */
    readonly knowsImages?: boolean;
  } = {},
): void {
  describe(name, () => {
    const cluster = `c${crypto.randomUUID().slice(0, 8)}`;
    let subject: EngineUnderTest;
    let engine: Engine;

    beforeAll(async () => {
      subject = await setup();
      engine = subject.connect(cluster);
      await subject.prepare(engine);
    }, 600_000);
    afterAll(async () => {
      if (engine) await Promise.allSettled((await engine.list()).map(({ id }) => engine.remove(id, 0)));
      await engine?.close();
      await subject?.close();
    }, 60_000);

    const declare = (title: string, body: () => Promise<void>): void => test(title, body, 120_000);
    /** What only a container that runs can show. */
    const declareReal = (title: string, body: () => Promise<void>): void =>
      test.skipIf(pretended)(title, body, 120_000);

    const spec = (service: string, change: Partial<ContainerSpec> = {}): ContainerSpec => ({
      cluster,
      service,
      revision: "r1",
      replica: 0,
      fence: 7,
      image: subject.image,
      command: ["serve"],
      env: { GREETING: "hello" },
      ports: [{ container: 8080, host: null }],
      resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 64 },
      ...change,
    });
    const made = async (service: string, change: Partial<ContainerSpec> = {}): Promise<string> =>
      (await engine.create(spec(service, change))).id;
    const seen = async (id: string): Promise<ContainerRecord | undefined> =>
      (await engine.list()).find((one) => one.id === id);
    const until = (id: string, what: string, holds: (record: ContainerRecord) => boolean): Promise<ContainerRecord> =>
      eventually(`${id.slice(0, 12)} ${what}`, WITHIN_MS, async () => {
        const record = await seen(id);
        return record !== undefined && holds(record) && record;
      });
    const running = (id: string): Promise<ContainerRecord> =>
      until(id, "runs", ({ state, startedAt }) => state === "running" && startedAt !== null);
    const codeOf = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => "no error",
        (error: unknown) => (error instanceof EngineError ? error.code : error),
      );

    declare("ping() tells what the engine is, the same each time", async () => {
      const [info, again] = [await engine.ping(), await engine.ping()];
      expect(info.version).not.toBe("");
      expect(info.cpus).toBeGreaterThan(0);
      expect(info.memoryBytes).toBeGreaterThan(0);
      expect(again.id).toBe(info.id);
    });

    declare("create() makes a container that does not run yet; its twin finds it", async () => {
      const first = await engine.create(spec("made"));
      expect(first.outcome).toBe("created");
      expect(await engine.create(spec("made"))).toEqual({ id: first.id, outcome: "exists" });
      const record = await seen(first.id);
      expect(record).toMatchObject({ service: "made", revision: "r1", replica: 0, fence: 7, state: "created" });
      expect(record).toMatchObject({ image: subject.image, startedAt: null, finishedAt: null, stuck: null });
      expect(await engine.inspect(first.id)).toMatchObject({ id: first.id });
    });

    declare("of ten that create one slot at once, one makes it and all have its id", async () => {
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => engine.create(spec("race"))));
      expect(new Set(outcomes.map(({ id }) => id)).size).toBe(1);
      expect(outcomes.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
    });

    declare("start() runs it with its ports known, and says so when it runs already", async () => {
      const id = await made("starts");
      expect(await engine.start(id)).toBe("started");
      const record = await running(id);
      expect(record.ports.map(({ container }) => container)).toEqual([8080]);
      expect(record.ports[0]?.host).toBeGreaterThan(0);
      expect(Date.parse(record.startedAt ?? "")).toBeGreaterThan(0);
      expect(await engine.start(id)).toBe("running");
    });

    declareReal("a container answers at its port, with the environment it was given", async () => {
      const id = await made("answers");
      await engine.start(id);
      const { ports, address = "127.0.0.1" } = await running(id);
      const answer = await eventually("it answers", WITHIN_MS, () =>
        fetch(`http://${address}:${ports[0]?.host}/x`).then(
          (response) => response.json() as Promise<{ greeting: string }>,
          () => undefined,
        ),
      );
      expect(answer.greeting).toBe("hello");
    });

    declare("stop() ends it and keeps it; it can be started again, and stopped twice", async () => {
      const id = await made("stops");
      await engine.start(id);
      const first = await running(id);
      expect(await engine.stop(id, 5_000)).toBe("stopped");
      await until(id, "has ended", ({ state }) => state === "exited");
      expect(await engine.stop(id, 5_000)).toBe("stopped");
      expect(await engine.start(id)).toBe("started");
      const second = await running(id);
      expect(second.startedAt).not.toBe(first.startedAt);
    });

    declare("remove() takes it away whether it runs or not; a second time it is gone", async () => {
      const [runs, rests] = [await made("leaves"), await made("leaves", { replica: 1 })];
      await engine.start(runs);
      for (const id of [runs, rests]) {
        expect(await engine.remove(id, 0)).toBe("removed");
        await eventually("it is gone", WITHIN_MS, async () => (await seen(id)) === undefined);
        expect(await engine.remove(id, 0)).toBe("gone");
        expect(await engine.stop(id, 0)).toBe("gone");
        expect(await codeOf(engine.start(id))).toBe("not_found");
        expect(await engine.inspect(id)).toBeUndefined();
      }
    });

    declare("list() is about one service or all of this cluster, and never about another cluster", async () => {
      await made("mine");
      const other = subject.connect(`${cluster}x`);
      try {
        await subject.prepare(other);
        const foreign = (await other.create({ ...spec("mine"), cluster: `${cluster}x` })).id;
        expect((await engine.list("mine")).map(({ service }) => service)).toEqual(["mine"]);
        expect((await engine.list()).some(({ id }) => id === foreign)).toBe(false);
        expect(await engine.inspect(foreign)).toBeUndefined();
        expect(await engine.remove(foreign, 0)).toBe("gone");
        expect(await other.inspect(foreign)).toMatchObject({ id: foreign });
        await other.remove(foreign, 0);
      } finally {
        await other.close();
      }
    });

    declare("events() begins with a resync and tells of the starts and ends of our containers", async () => {
      const stopping = new AbortController();
      const events: EngineEvent[] = [];
      const following = (async () => {
        for await (const event of engine.events(stopping.signal)) events.push(event);
      })();
      try {
        await eventually("it follows", WITHIN_MS, async () => events.length > 0);
        expect(events[0]?.kind).toBe("resync");
        const id = await made("tells");
        const told = (action: string): Promise<boolean> =>
          eventually(`${action} is told`, WITHIN_MS, async () =>
            events.some(
              (event) => event.kind === "container" && event.action === action && event.identity.service === "tells",
            ),
          );
        await engine.start(id);
        await told("start");
        await engine.stop(id, 0);
        await told("die");
        await engine.remove(id, 0);
        await told("destroy");
      } finally {
        stopping.abort();
        await following;
      }
    });

    declare("a container that ends by itself has ended, with its exit code, and can be started again", async () => {
      const id = await made("dies", { command: pretended ? ["serve"] : ["crash"] });
      await engine.start(id);
      if (subject.containers.kind === "pretended") {
        await running(id);
        await subject.containers.crash(id);
      }
      const record = await until(id, "has ended", ({ state }) => state === "exited");
      expect(record.exitCode).toBe(1);
      expect(record.finishedAt).not.toBeNull();
      expect(await engine.start(id)).toBe("started");
    });

    declareReal("logs() gives what was written, and follows until the end", async () => {
      const id = await made("writes", { command: ["crash"] });
      await engine.start(id);
      await until(id, "has ended", ({ state }) => state === "exited");
      const lines: LogLine[] = [];
      for await (const line of engine.logs(id, { follow: true })) lines.push(line);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ stream: "stderr" });
      expect(lines[0]?.text).toContain("crash: as asked");
      const later = new Date(Date.parse(lines[0]!.at) + 1_000).toISOString();
      for await (const line of engine.logs(id, { since: later })) throw new Error(`unexpected: ${line.text}`);
    });

    declareReal("a check of the engine makes it healthy, a failing one unhealthy", async () => {
      const check = (word: string) => ({
        kind: "exec" as const,
        command: ["/echo", word],
        intervalMs: 100,
        timeoutMs: 5_000,
        retries: 2,
        startPeriodMs: 0,
      });
      const [good, bad] = [await made("well", { check: check("exit") }), await made("ill", { check: check("crash") })];
      await Promise.all([engine.start(good), engine.start(bad)]);
      await until(good, "is healthy", (record) => record.check === "healthy");
      await until(bad, "is unhealthy", (record) => record.check === "unhealthy");
    });

    declareReal("stats() tells what a container uses", async () => {
      const id = await made("uses");
      await engine.start(id);
      const stats = await eventually("there is a reading", WITHIN_MS, async () => {
        const read = await engine.stats(id);
        return read.memoryBytes > 0 && read;
      });
      expect(stats.memoryLimitBytes).toBe(64 * 1024 ** 2);
      expect(stats.pids).toBeGreaterThan(0);
    });

    declareReal("of two that pin one port the second is told that it is taken, until the first one ends", async () => {
      const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
      const host = free.port ?? 0;
      await free.stop(true);
      const ports = [{ container: 8080, host }];
      const [one, two] = [await made("pin-a", { ports }), await made("pin-b", { ports })];
      await engine.start(one);
      expect(await codeOf(engine.start(two))).toBe("port_taken");
      await engine.remove(one, 0);
      await engine.start(two);
      expect((await running(two)).ports).toEqual([{ container: 8080, host }]);
    });

    test.skipIf(!knowsImages)("an image that the engine does not have is said to be missing", async () => {
      expect(await engine.image("troupe/nowhere:1")).toBeUndefined();
      expect(await engine.image(subject.image)).toMatch(/^sha256:/);
      expect(await codeOf(engine.create(spec("missing", { image: "troupe/nowhere:1" })))).toBe("not_found");
    });
  });
}
