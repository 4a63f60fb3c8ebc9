import { expect, test } from "bun:test";
import { type OutboxRecord, ProjectionError, systemClock } from "#runtime";
import type { ApplyOptions, Gap, ProjectionBuild, ReadDatabase } from "../ports/read-database.ts";
import { ProjectionBuilder } from "./projection-builder.ts";
import { Projector } from "./projector.ts";

/** A read database in memory: a build's "tables" are the events that were applied to it, in order. */
class FakeReads implements ReadDatabase {
  readonly name = "fake";
  readonly projections;
  readonly tables = new Map<number, number[]>();
  readonly states: ProjectionBuild[] = [];
  /** What stood in a build when it went live. */
  shown: number[] | undefined;
  broken: (build: ProjectionBuild, record: OutboxRecord) => boolean = () => false;
  beforeMove: () => Promise<void> | void = () => undefined;
  readonly #positions = new Map<string, number>();

  constructor(...versions: number[]) {
    this.projections = versions.map((version) => ({
      name: "p",
      version,
      sources: ["t"],
      deadLetterAfter: undefined,
    }));
  }

  open = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
  check = (): Promise<void> => Promise.resolve();
  sweep = (): Promise<void> => Promise.resolve();
  claim = (): Promise<boolean> => Promise.resolve(true);

  add(version: number, state: ProjectionBuild["state"]): ProjectionBuild {
    const build: ProjectionBuild = { id: this.states.length + 1, projection: "p", version, state };
    this.states.push(build);
    this.tables.set(build.id, []);
    return build;
  }

  async builds(): Promise<readonly ProjectionBuild[]> {
    return [...this.states];
  }

  async begin(_projection: string, version: number): Promise<ProjectionBuild> {
    return this.states.find(({ state }) => state !== "live") ?? this.add(version, "building");
  }

  async move(build: ProjectionBuild, to: "building" | "feeding"): Promise<void> {
    await this.beforeMove();
    this.#set(build, to);
  }

  async goLive(build: ProjectionBuild): Promise<void> {
    this.shown = [...(this.tables.get(build.id) ?? [])];
    this.#set(build, "live");
  }

  async positions({ id }: ProjectionBuild): Promise<readonly { partition: number; after: number }[]> {
    return [1, 2].map((partition) => ({ partition, after: this.#positions.get(`${id}/${partition}`) ?? 0 }));
  }

  async apply(
    build: ProjectionBuild,
    records: readonly OutboxRecord[],
    { known, skip }: ApplyOptions,
  ): Promise<readonly Gap[]> {
    const partitions = [...new Set(records.map(({ partition }) => partition))];
    const gaps = partitions.filter((partition) => !known("t", partition));
    if (gaps.length > 0) {
      return gaps.map((partition) => ({
        source: "t",
        partition,
        after: this.#positions.get(`${build.id}/${partition}`) ?? 0,
      }));
    }
    const failing = records.find((record) => this.broken(build, record) && !skip(record));
    if (failing !== undefined) throw new ProjectionError("p", failing, new Error("broken"));
    for (const { partition, seq } of records) {
      const place = `${build.id}/${partition}`;
      if (seq <= (this.#positions.get(place) ?? 0)) continue;
      this.#positions.set(place, seq);
      if (!skip(event(seq))) this.tables.get(build.id)?.push(seq);
    }
    return [];
  }

  #set({ id }: ProjectionBuild, state: ProjectionBuild["state"]): void {
    const index = this.states.findIndex((build) => build.id === id);
    this.states[index] = { ...(this.states[index] as ProjectionBuild), state };
  }
}

/** Events of partition 1: a commit puts one here before anybody hands it on. */
class Journal {
  readonly events: OutboxRecord[] = [];

  commit(upTo: number): OutboxRecord[] {
    const next = Array.from({ length: upTo - this.events.length }, (_, i) => event(this.events.length + i + 1));
    this.events.push(...next);
    return next;
  }

  readonly host = {
    now: () => 0,
    recordDeadLetter: () => Promise.resolve(),
    history: async (
      _type: string,
      positions: readonly { partition: number; after: number }[],
      limit: number,
    ): Promise<readonly OutboxRecord[]> =>
      positions.flatMap(({ partition, after }) =>
        this.events.filter((record) => record.partition === partition && record.seq > after).slice(0, limit),
      ),
  };
}

function event(seq: number): OutboxRecord {
  return {
    partition: 1,
    seq,
    kind: "event",
    id: `evt_${seq}`,
    name: "t.happened.v1",
    actor: { type: "t", key: "k" },
    target: "k",
    body: "{}",
    at: seq,
    traceparent: undefined,
  };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

test("Projector.publish() gives a build everything before the first event it is fed (Projector.P3)", async () => {
  const reads = new FakeReads(1);
  const journal = new Journal();
  const projector = new Projector(reads, reads.projections, journal.host);
  const build = reads.add(1, "live");
  journal.commit(3);
  await projector.publish(journal.commit(5));
  expect(reads.tables.get(build.id)).toEqual(upTo(5));
});

test("Projector.publish() reads the journal again in a partition that was elsewhere meanwhile (Projector.P3)", async () => {
  const reads = new FakeReads(1);
  const journal = new Journal();
  const projector = new Projector(reads, reads.projections, journal.host);
  const build = reads.add(1, "live");
  await projector.publish(journal.commit(2));
  projector.moved(1);
  journal.commit(4); // handed on by another node, one that does not know this version
  projector.moved(1);
  await projector.publish(journal.commit(5));
  expect(reads.tables.get(build.id)).toEqual(upTo(5));
});

test("an event that fails while the journal is read counts as failed, and is passed over at the limit", async () => {
  const reads = new FakeReads(1);
  const journal = new Journal();
  const infos = reads.projections.map((info) => ({ ...info, deadLetterAfter: 2 }));
  const projector = new Projector(reads, infos, journal.host);
  const build = reads.add(1, "live");
  reads.broken = (_build, { seq }) => seq === 2;
  const records = journal.commit(3);
  const error = await projector.publish(records).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(ProjectionError);
  expect(projector.failing).toEqual(["Cannot apply t.happened.v1 of t/k to p: broken"]);
  await projector.publish(records);
  expect(projector.failing).toEqual([]);
  expect(reads.tables.get(build.id)).toEqual([1, 3]);
});

test("a build that fails is fed no longer, and the live one goes on (Projector.P4)", async () => {
  const reads = new FakeReads(1, 2);
  const journal = new Journal();
  const projector = new Projector(reads, reads.projections, journal.host);
  const live = reads.add(1, "live");
  reads.add(2, "feeding");
  reads.broken = ({ version }) => version === 2;
  await projector.publish(journal.commit(2));
  await projector.publish(journal.commit(4));
  expect(reads.tables.get(live.id)).toEqual(upTo(4));
  expect(reads.states.map(({ state }) => state)).toEqual(["live", "building"]);
});

test("ProjectionBuilder reads the journals once more after a build is fed, before readers see it (ProjectionBuilder.B2)", async () => {
  const reads = new FakeReads(1);
  const journal = new Journal();
  const projector = new Projector(reads, reads.projections, journal.host);
  const builder = new ProjectionBuilder(projector, {
    ...journal.host,
    nodeId: "n",
    partitions: () => 64,
    clock: systemClock,
    log: () => undefined,
  });
  journal.commit(130);
  const done = Promise.withResolvers<void>();
  reads.goLive = async (build) => {
    await FakeReads.prototype.goLive.call(reads, build);
    done.resolve();
  };
  // Committed and handed on in the last moment in which nobody feeds the build.
  reads.beforeMove = async () => {
    reads.beforeMove = () => undefined;
    await projector.publish(journal.commit(131));
  };
  builder.start();
  await done.promise;
  await builder.stop();
  expect(reads.shown).toEqual(upTo(131));
});

test("ProjectionBuilder goes on where a failing handler stopped it, once that succeeds", async () => {
  const reads = new FakeReads(1);
  const journal = new Journal();
  const projector = new Projector(reads, reads.projections, journal.host);
  const logged = Promise.withResolvers<void>();
  const builder = new ProjectionBuilder(projector, {
    ...journal.host,
    nodeId: "n",
    partitions: () => 64,
    clock: systemClock,
    log: (_level, name) => name === "projection:build:failed" && logged.resolve(),
  });
  journal.commit(120);
  reads.broken = (_build, { seq }) => seq === 70;
  builder.start();
  await logged.promise;
  expect(builder.failing).toContain("Cannot apply t.happened.v1 of t/k to p: broken");
  expect(reads.tables.get(1)).toEqual(upTo(69));
  reads.broken = () => false;
  await builder.rebuild();
  while (reads.shown === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  await builder.stop();
  expect([reads.shown, reads.states.length]).toEqual([upTo(120), 1]);
});
