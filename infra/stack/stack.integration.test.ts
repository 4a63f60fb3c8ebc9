import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { carriersOf } from "./leftovers.ts";
import { ServerLife } from "./lifecycle.ts";
import { StackBusyError, startStack, type StackEvent } from "./mod.ts";
import { Ports } from "./ports.ts";
import { withConnection } from "./postgres.ts";
import { isAlive, signalOne } from "./process-mark.ts";
import type { Recipe } from "./recipe.ts";
import { RECIPES } from "./recipes.ts";
import { readRecord } from "./state-file.ts";
import { eventually, temporaryFolder } from "./testing.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

/** The variables of a surrounding run would have us use its servers instead of starting our own. */
for (const recipe of Object.values(RECIPES)) delete process.env[recipe.variable];

const TIMEOUT_MS = 120_000;

test(
  "startStack() starts NATS, knows when it answers, and leaves no process after stop()",
  async () => {
    using folder = temporaryFolder();
    const stack = await startStack({
      servers: ["nats"],
      dataDir: folder.path,
      infra: "native",
      preferUsualPorts: false,
    });
    await RECIPES.nats.probe(stack.env);
    const marks = readRecord(folder.path)?.servers.flatMap((server) => server.processes) ?? [];
    expect(marks.every(isAlive)).toBe(true);
    await stack.stop();
    expect(marks.filter(isAlive)).toEqual([]);
    expect(readRecord(folder.path)).toBeUndefined();
    await expect(RECIPES.nats.probe(stack.env)).rejects.toThrow();
  },
  TIMEOUT_MS,
);

test(
  "startStack() keeps a database over a restart, with fsync on",
  async () => {
    using folder = temporaryFolder();
    const options = { servers: ["postgres"], dataDir: folder.path, infra: "native", preferUsualPorts: false } as const;
    {
      await using stack = await startStack(options);
      await withConnection(stack.env["DATABASE_URL"] ?? "", async (sql) => {
        await sql`create table kept (id int)`;
        const [settings] =
          await sql`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
        expect(settings).toEqual({ fsync: "on", commit: "on" });
      });
    }
    await using again = await startStack(options);
    await withConnection(again.env["DATABASE_URL"] ?? "", async (sql) => void (await sql`insert into kept values (1)`));
  },
  TIMEOUT_MS,
);

test(
  "startStack() refuses a data folder that a live run owns, and names the run",
  async () => {
    using folder = temporaryFolder();
    await using _stack = await startStack({ servers: [], dataDir: folder.path });
    const second = startStack({ servers: [], dataDir: folder.path });
    await expect(second).rejects.toThrow(StackBusyError);
    await expect(second).rejects.toThrow(`pid ${process.pid}`);
  },
  TIMEOUT_MS,
);

test(
  "a server that dies is started again on the same address",
  async () => {
    using folder = temporaryFolder();
    const events: StackEvent[] = [];
    await using stack = await startStack({
      servers: ["nats"],
      dataDir: folder.path,
      infra: "native",
      preferUsualPorts: false,
      report: (event) => events.push(event),
    });
    const [mark] = readRecord(folder.path)?.servers[0]?.processes ?? [];
    if (mark === undefined) throw new Error("No process is recorded");
    signalOne(mark, "SIGKILL");
    await eventually(() => (events.filter((event) => event.state.kind === "running").length === 2 ? true : undefined));
    await RECIPES.nats.probe(stack.env);
    expect(stack.servers[0]?.pid).not.toBe(mark.pid);
  },
  TIMEOUT_MS,
);

test(
  "the next start ends the servers of an owner that was killed",
  async () => {
    using folder = temporaryFolder();
    const source = `const { startStack } = await import(${JSON.stringify(join(import.meta.dirname, "mod.ts"))});
      await startStack({ servers: ["nats", "postgres"], dataDir: ${JSON.stringify(folder.path)}, infra: "native", preferUsualPorts: false });
      console.log("up"); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
    await once(owner.stdout, "data");
    const left = readRecord(folder.path)?.servers.flatMap((server) => server.processes) ?? [];
    expect(left).toHaveLength(2);
    owner.kill("SIGKILL");
    await once(owner, "exit");
    expect(left.every(isAlive)).toBe(true);
    const stack = await startStack({
      servers: ["nats"],
      dataDir: folder.path,
      infra: "native",
      preferUsualPorts: false,
    });
    expect(left.filter(isAlive)).toEqual([]);
    await stack.stop();
    expect(carriersOf(folder.path)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "a server that fails shows the last lines of its log and the rest runs",
  async () => {
    using folder = temporaryFolder();
    const bin = join(folder.path, "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "valkey-server"),
      '#!/bin/sh\nif [ "$1" = --version ]; then echo "v=8.0.0"; exit; fi\necho "cannot read the moon"; exit 3\n',
    );
    chmodSync(join(bin, "valkey-server"), 0o755);
    const path = process.env["PATH"];
    process.env["PATH"] = `${bin}:${path}`;
    const events: StackEvent[] = [];
    try {
      await using stack = await startStack({
        servers: ["nats", "redis"],
        dataDir: join(folder.path, "data"),
        infra: "native",
        preferUsualPorts: false,
        report: (event) => events.push(event),
      });
      expect(stack.servers.map((server) => server.name)).toEqual(["nats"]);
      expect(stack.missing.map((server) => server.server)).toEqual(["redis"]);
      expect(stack.missing[0]?.reason).toContain("exit code 3");
      expect(events.find((event) => event.state.kind === "missing")?.state).toMatchObject({
        log: ["cannot read the moon"],
      });
      expect(Object.keys(stack.env)).toEqual(["NATS_URL", "NATS_MONITOR_URL"]);
    } finally {
      process.env["PATH"] = path;
    }
  },
  TIMEOUT_MS,
);

test(
  "a server that the environment names is used and not stopped",
  async () => {
    using folder = temporaryFolder();
    await using owner = await startStack({
      servers: ["nats"],
      dataDir: join(folder.path, "a"),
      infra: "native",
      preferUsualPorts: false,
    });
    process.env["NATS_URL"] = owner.env["NATS_URL"];
    try {
      const guest = await startStack({ servers: ["nats"], dataDir: join(folder.path, "b") });
      expect(guest.servers[0]).toMatchObject({ how: "address", address: owner.env["NATS_URL"] ?? "" });
      await guest.stop();
      await RECIPES.nats.probe(owner.env);
    } finally {
      delete process.env["NATS_URL"];
    }
  },
  TIMEOUT_MS,
);

test(
  "the servers of a test run end when the process that asked for them is killed",
  async () => {
    const source = `const { testServer } = await import(${JSON.stringify(join(import.meta.dirname, "for-tests.ts"))});
      const { openTestRun } = await import(${JSON.stringify(join(import.meta.dirname, "test-run.ts"))});
      process.env.TROUPE_TEST_RUN = (await openTestRun()).socket;
      const address = await testServer("nats");
      console.log(JSON.stringify({ address, socket: process.env.TROUPE_TEST_RUN })); setInterval(() => {}, 1000);`;
    const { TROUPE_TEST_RUN: _, ...env } = process.env;
    const run = spawn(process.execPath, ["-e", source], { env, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(run.stdout, "data")) as [Buffer];
    const { address, socket } = JSON.parse(line.toString("utf8")) as { address: string; socket: string };
    const env2 = { NATS_URL: address };
    await RECIPES.nats.probe(env2);
    run.kill("SIGKILL");
    await eventually(() =>
      RECIPES.nats.probe(env2).then(
        () => undefined,
        () => true,
      ),
    );
    await eventually(() => (existsSync(join(socket, "..")) ? undefined : true));
  },
  TIMEOUT_MS,
);

test(
  "a server whose port is taken while it starts moves to another one instead of passing the other's off as its own",
  async () => {
    using folder = temporaryFolder();
    await using other = await startStack({
      servers: ["nats"],
      dataDir: join(folder.path, "other"),
      infra: "native",
      preferUsualPorts: false,
    });
    const taken = Number(new URL(other.env["NATS_URL"] ?? "").port);
    const blind = new Ports(false);
    let picks = 0;
    const pick = blind.pick.bind(blind);
    blind.pick = (usual) => (picks++ === 0 ? Promise.resolve(taken) : pick(usual));
    const states: string[] = [];
    // As if the server took its time before it fails to listen: the probe meets the other server first.
    const slow: Recipe = {
      ...RECIPES.nats,
      obtain: async (context) => {
        const program = await RECIPES.nats.obtain(context);
        return async (place) => {
          const launch = await program(place);
          const [server] = launch.processes;
          if (server === undefined) throw new Error("No process");
          return {
            ...launch,
            processes: [{ command: "sh", args: ["-c", `sleep 1; exec "$0" "$@"`, server.command, ...server.args] }],
          };
        };
      },
    };
    mkdirSync(join(folder.path, "logs"));
    const life = new ServerLife(slow, {
      dataDir: folder.path,
      id: "abcdef",
      ports: blind,
      composition: undefined,
      report: ({ state }) => states.push(state.kind),
      changed: () => undefined,
    });
    const outcome = await life.start();
    expect(outcome).toMatchObject({ how: "native" });
    expect("address" in outcome && outcome.address).not.toBe(other.env["NATS_URL"] ?? "");
    expect(states).toEqual(["starting", "starting", "running"]);
    await life.stop();
    blind[Symbol.dispose]();
  },
  TIMEOUT_MS,
);
