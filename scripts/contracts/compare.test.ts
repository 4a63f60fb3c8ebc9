import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActorContract } from "#infra/contracts/contract.ts";
import { compareContracts } from "./compare.ts";

const contract = (min: number): ActorContract => ({
  type: "note",
  state: { type: "object" },
  messages: { write: { kind: "command", in: { type: "number", minimum: min } } },
  events: {},
});

test("compareContracts() says what is new, what fits, what does not, and writes what is accepted", async () => {
  const folder = await mkdtemp(join(tmpdir(), "contracts-"));
  try {
    await mkdir(join(folder, "paper", "note"), { recursive: true });
    await writeFile(join(folder, "paper", "note", "note.ts"), "");
    expect((await compareContracts(folder, [contract(2)], false)).lines[0]).toBe("note  is new");
    await compareContracts(folder, [contract(2)], true);
    expect(JSON.parse(await readFile(join(folder, "paper", "note", "contract.json"), "utf8"))).toEqual(contract(2));
    expect(await compareContracts(folder, [contract(2)], false)).toEqual({ lines: [], differ: false });
    expect((await compareContracts(folder, [contract(1)], false)).lines[0]).toContain("beside each other");
    const { lines, differ } = await compareContracts(folder, [contract(3)], false);
    expect(lines[0]).toBe("note  cannot run beside nodes of the version before:");
    expect(lines[1]).toContain("note  write.in  /minimum  was 2, is 3");
    expect(differ).toBe(true);
    expect((await compareContracts(folder, [], false)).lines[0]).toContain("is no actor type of the app");
  } finally {
    await rm(folder, { recursive: true });
  }
});
