import type { ContainerStats as Reading } from "dockerode";
import type { ContainerStats } from "../engines/container.ts";

/** What two readings of the engine, a second apart, say. */
export function statsOf(reading: Reading): ContainerStats {
  const { cpu_stats: cpu, precpu_stats: before, memory_stats: memory, pids_stats: pids, networks } = reading;
  const used = cpu.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = cpu.system_cpu_usage - (before.system_cpu_usage ?? 0);
  const cores = cpu.online_cpus || 1;
  const traffic = Object.values(networks ?? {});
  // What the kernel keeps of files counts as free, as in `docker stats`.
  const files = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
  return {
    cpuPercent: passed > 0 ? Math.round((used / passed) * cores * 10_000) / 100 : 0,
    memoryBytes: Math.max(0, (memory.usage ?? 0) - files),
    memoryLimitBytes: memory.limit ?? 0,
    pids: pids?.current ?? 0,
    receivedBytes: traffic.reduce((sum, one) => sum + one.rx_bytes, 0),
    sentBytes: traffic.reduce((sum, one) => sum + one.tx_bytes, 0),
  };
}
