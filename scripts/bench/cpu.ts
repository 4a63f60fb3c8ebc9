/**
 * Who used the processors while something was measured, by what Linux counts per process. Where there is no `/proc`, nothing
 * is told.
 */
import { readdirSync, readFileSync } from "node:fs";
import postgres from "postgres";

/** Of `stat` below `/proc`; the kernel tells it to programs in no other way than as this constant. */
const TICKS_PER_SECOND = 100;

/** Counts from when it is made. */
export class CpuMeter {
  readonly #processes: Readonly<Record<string, number>>;
  readonly #before: Readonly<Record<string, number>>;
  readonly #machine = machineTicks();
  readonly #own = process.cpuUsage();
  readonly #since = performance.now();

  /** @param processes process ids by the name they are shown under; their children count with them. */
  constructor(processes: Readonly<Record<string, number>>) {
    this.#processes = processes;
    this.#before = ticksOf(processes);
  }

  /**
   * As in `server 97 % (48 µs each), Postgres 41 % (20 µs each), generator 30 % (15 µs each), rest of the machine 8 %`: percent
   * of one processor, and what each of `operations` cost. The generator is this process.
   */
  used(operations: number): string {
    const seconds = (performance.now() - this.#since) / 1_000;
    const { user, system } = process.cpuUsage(this.#own);
    const after = ticksOf(this.#processes);
    const used = Object.keys(after).map((name): [string, number] => [
      name,
      ((after[name] ?? 0) - (this.#before[name] ?? 0)) / TICKS_PER_SECOND,
    ]);
    used.push(["generator", (user + system) / 1e6]);
    const known = used.reduce((sum, [, busy]) => sum + busy, 0);
    const rest = Math.max(0, (machineTicks() - this.#machine) / TICKS_PER_SECOND - known);
    const percent = (busy: number): string => `${Math.round((busy / seconds) * 100)} %`;
    const shown = used.map(
      ([name, busy]) => `${name} ${percent(busy)} (${Math.round((busy / operations) * 1e6)} µs each)`,
    );
    return [...shown, `rest of the machine ${percent(rest)}`].join(", ");
  }
}

/** How many processors were in use, by whomever, while `ms` went by; 0 where there is no `/proc`. */
export async function processorsInUse(ms: number): Promise<number> {
  const [before, since] = [machineTicks(), performance.now()];
  await Bun.sleep(ms);
  return ((machineTicks() - before) / TICKS_PER_SECOND / (performance.now() - since)) * 1_000;
}

/** How much of one processor processes and their children used while `during` lasted, in percent. */
export async function shareOf(processes: Readonly<Record<string, number>>, during: () => Promise<unknown>) {
  const before = ticksOf(processes);
  const since = performance.now();
  await during();
  const seconds = (performance.now() - since) / 1_000;
  return Object.fromEntries(
    Object.entries(ticksOf(processes)).map(([name, ticks]): [string, number] => [
      name,
      ((ticks - (before[name] ?? 0)) / TICKS_PER_SECOND / seconds) * 100,
    ]),
  );
}

/** The process all backends of a Postgres server are children of; `undefined` where it is on another machine. */
export async function postmasterOf(url: string): Promise<number | undefined> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const { name, parent } = statOf(row?.pid ?? 0) ?? {};
    return name?.startsWith("postgres") ? parent : undefined;
  } finally {
    await sql.end();
  }
}

interface Stat {
  readonly name: string;
  readonly parent: number;
  /** Its own, and of children that have ended. */
  readonly ticks: number;
  readonly endedTicks: number;
}

function ticksOf(processes: Readonly<Record<string, number>>): Record<string, number> {
  const all = [...allStats()];
  return Object.fromEntries(
    Object.entries(processes).map(([name, pid]) => {
      const own = all.find(([id]) => id === pid)?.[1];
      const children = all.filter(([, { parent }]) => parent === pid);
      return [name, children.reduce((sum, [, { ticks }]) => sum + ticks, (own?.ticks ?? 0) + (own?.endedTicks ?? 0))];
    }),
  );
}

function* allStats(): Generator<readonly [number, Stat]> {
  for (const entry of entriesOf("/proc")) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (stat !== undefined) yield [pid, stat];
  }
}

/** proc(5): the name stands in brackets and may hold anything; the parent is the second field behind it. */
function statOf(pid: number): Stat | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  const close = text.lastIndexOf(")");
  if (close < 0) return undefined;
  const fields = text
    .slice(close + 2)
    .split(" ")
    .map(Number);
  const at = (i: number): number => fields[i] ?? 0;
  return {
    name: text.slice(text.indexOf("(") + 1, close),
    parent: at(1),
    ticks: at(11) + at(12),
    endedTicks: at(13) + at(14),
  };
}

/** What all processors spent on work. */
function machineTicks(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = textOf("/proc/stat")
    .split("\n", 1)[0]!
    .split(/ +/)
    .map(Number);
  return user + nice + system + irq + softIrq;
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
