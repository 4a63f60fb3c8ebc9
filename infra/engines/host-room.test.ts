import { expect, test } from "bun:test";
import type { ContainerRecord } from "./container.ts";
import { HostRoom } from "./host-room.ts";

const resources = { memoryBytes: 100, cpus: 1, pids: 1 };

test("HostRoom.within() lets in what fits, one at a time, and says with numbers what does not", async () => {
  const there: Pick<ContainerRecord, "state" | "resources">[] = [{ state: "removing", resources }];
  const engine = { list: async () => there as ContainerRecord[] };
  const room = new HostRoom(engine, { memoryBytes: 250, cpus: 10 });
  const create = async (): Promise<string> => {
    await Promise.resolve();
    there.push({ state: "created", resources });
    return "made";
  };
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => room.within(resources, create, (why) => why)));
  const full = "the host is full: 100 bytes of memory more than the 200 of 250 that are taken";
  expect(outcomes).toEqual(["made", "made", full, full]);
  there.pop();
  expect(await room.within(resources, create, (why) => why)).toBe("made");
});

test("HostRoom.within() goes on after an engine that did not answer", async () => {
  let away = true;
  const engine = {
    list: async (): Promise<ContainerRecord[]> => {
      if (away) throw new Error("away");
      return [];
    },
  };
  const room = new HostRoom(engine, { cpus: 1 });
  await expect(room.within(resources, async () => "made", String)).rejects.toThrow("away");
  away = false;
  expect(await room.within(resources, async () => "made", String)).toBe("made");
});
