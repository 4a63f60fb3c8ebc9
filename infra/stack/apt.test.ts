import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { aptInstall } from "./apt.ts";
import type { ObtainContext } from "./recipe.ts";
import { temporaryFolder } from "./testing.ts";

setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
const before = process.env["TROUPE_CACHE"];

beforeEach(() => {
  folder = temporaryFolder();
  process.env["TROUPE_CACHE"] = folder.path; // Its lock is there.
});

afterEach(() => {
  folder[Symbol.dispose]();
  if (before === undefined) delete process.env["TROUPE_CACHE"];
  else process.env["TROUPE_CACHE"] = before;
});

/** A machine whose `apt-get` notes what it is told, and does not know the package `nowhere`. */
function machine(): { context: ObtainContext; installed: string[][]; said: string[] } {
  const installed: string[][] = [];
  const said: string[] = [];
  const context: ObtainContext = {
    doing: (what) => void said.push(what),
    waiting: () => undefined,
    run: async (command, args) => {
      expect(command).toBe("apt-get");
      if (!args.includes("install")) return "";
      const packages = args.slice(args.indexOf("--no-install-recommends") + 1);
      installed.push(packages);
      if (packages.includes("nowhere")) throw new Error("Unable to locate package nowhere");
      return "";
    },
  };
  return { context, installed, said };
}

test("aptInstall() makes one call of what several servers ask for at once", async () => {
  const { context, installed, said } = machine();
  await Promise.all([
    aptInstall(context, ["rabbitmq-server"]),
    aptInstall(context, ["docker.io", "iproute2", "iptables"]),
    aptInstall(context, ["redis-server"]),
    aptInstall(context, ["redis-server"]),
  ]);
  expect(installed).toEqual([["rabbitmq-server", "docker.io", "iproute2", "iptables", "redis-server"]]);
  expect(said.at(-1)).toContain("installing rabbitmq-server docker.io");
});

test("a package that does not exist takes nothing else with it", async () => {
  const { context, installed } = machine();
  const outcomes = await Promise.allSettled([aptInstall(context, ["redis-server"]), aptInstall(context, ["nowhere"])]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
  expect(installed).toContainEqual(["redis-server"]);
});

test("what is asked for later is a call of its own", async () => {
  const { context, installed } = machine();
  await aptInstall(context, ["redis-server"]);
  await aptInstall(context, ["maven"]);
  expect(installed).toEqual([["redis-server"], ["maven"]]);
});
