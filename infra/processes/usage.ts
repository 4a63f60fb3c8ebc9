import { existsSync, readdirSync, readFileSync } from "node:fs";

/** What a process and those of its group use. */
export interface Usage {
  readonly memoryBytes: number;
  /** Processor time since it began. */
  readonly cpuMs: number;
  readonly processes: number;
}

interface Reading {
  readonly group: number;
  readonly memoryBytes: number;
  readonly cpuMs: number;
}

/** What the groups with these leaders use now. One without a process left is not in it. */
export async function usageOf(leaders: readonly number[]): Promise<ReadonlyMap<number, Usage>> {
  const wanted = new Set(leaders);
  const result = new Map<number, Usage>();
  if (wanted.size === 0) return result;
  for (const { group, memoryBytes, cpuMs } of existsSync("/proc/self/stat") ? fromProc() : await fromPs()) {
    if (!wanted.has(group)) continue;
    const sum = result.get(group) ?? { memoryBytes: 0, cpuMs: 0, processes: 0 };
    result.set(group, {
      memoryBytes: sum.memoryBytes + memoryBytes,
      cpuMs: sum.cpuMs + cpuMs,
      processes: sum.processes + 1,
    });
  }
  return result;
}

/** Of `/proc/<pid>/stat`: what follows the command name, which may hold spaces and parentheses. */
function fromProc(): readonly Reading[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [group, user, system, pages] = [fields[2], fields[11], fields[12], fields[21]].map(Number);
      // A tick is 10 ms and a page 4 KiB wherever Bun runs on Linux, but for a few kernels of arm64.
      return [{ group: group ?? 0, memoryBytes: (pages ?? 0) * 4_096, cpuMs: ((user ?? 0) + (system ?? 0)) * 10 }];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

async function fromPs(): Promise<readonly Reading[]> {
  const asked = Bun.spawn(["ps", "-A", "-o", "pgid=,rss=,time="], { stdout: "pipe", stderr: "ignore" });
  return (await new Response(asked.stdout).text()).split("\n").flatMap((line) => {
    const [group = "", rss = "", time = ""] = line.trim().split(/\s+/);
    const seconds = time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    return group === "" ? [] : [{ group: Number(group), memoryBytes: Number(rss) * 1_024, cpuMs: seconds * 1_000 }];
  });
}
