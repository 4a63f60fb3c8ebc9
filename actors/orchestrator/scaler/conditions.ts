import type { ConditionFound } from "../service/messages.ts";
import { FRESH_SLOT, STABLE_AFTER_MS } from "./backoff.ts";
import type { Desired, Observed } from "./messages.ts";
import { type Outlook, uptimeMs } from "./outlook.ts";

/** What an operator should know about a service: troubles, and what is going on. */
export function describe(desired: Desired, observed: Observed, seen: Outlook): ConditionFound[] {
  const found: ConditionFound[] = [];
  const trouble = (type: ConditionFound["type"], reason: string, message: string): void =>
    void found.push({ type, severity: "trouble", reason, message });
  const note = (type: ConditionFound["type"], reason: string, message: string): void =>
    void found.push({ type, severity: "note", reason, message });

  if (desired.hosts.length === 0 && seen.wanted > 0)
    trouble("docker_unavailable", "no_host", "No host that could run containers has been heard of");
  if (desired.paused) note("paused", "asked", "Updates are paused: resume to go on");
  if (desired.canary !== null && desired.replicas > 0)
    note(
      "canary",
      "asked",
      `${desired.canary.replicas} replicas of ${desired.revision} are tried beside ${desired.canary.base}: promote or abort`,
    );
  if (seen.outdated.length > 0)
    note("rolling_out", "replacing", `${seen.outdated.length} containers of an earlier revision still run`);
  if (desired.waitsFor.length > 0 && seen.up.length === 0 && seen.wanted > 0)
    note("waiting", "depends_on", `It waits for ${desired.waitsFor.join(", ")}`);

  for (const c of [...seen.kept, ...seen.outdated, ...seen.excess, ...seen.unusable]) {
    if (c.stuck !== null)
      trouble("container_stuck", "no_answer", `Container ${c.id.slice(0, 12)} is stuck: ${c.stuck}`);
  }
  for (const c of seen.kept) {
    const slot = observed.slots[`${c.revision}/${c.replica}`] ?? FRESH_SLOT;
    if (c.health === "unhealthy") trouble("unhealthy", "check_failed", `The check of replica ${c.replica} fails`);
    if (c.differences.length > 0)
      note("changed_by_hand", c.differences.join(","), `Replica ${c.replica} is not as it was made: it is put right`);
    if (
      crashLoops(slot.streak, slot.failures) &&
      (c.state === "running" ? uptimeMs(c, observed.nowMs) : 0) < Math.max(STABLE_AFTER_MS, 2 * slot.ranMs)
    )
      trouble(
        "crash_looping",
        slot.error?.code ?? "killed",
        `Replica ${c.replica} ended ${slot.streak} times in a row${slot.error ? `: ${slot.error.message}` : ""}`,
      );
  }
  const filled = new Set(seen.kept.filter((c) => c.state === "running").map((c) => `${c.revision}/${c.replica}`));
  for (const [key, slot] of Object.entries(observed.slots)) {
    const [revision, replica] = [key.slice(0, key.lastIndexOf("/")), Number(key.slice(key.lastIndexOf("/") + 1))];
    const wanted = revision === desired.revision ? replica < seen.wanted : revision === desired.canary?.base;
    if (filled.has(key) || !wanted || slot.error === null || slot.ranMs > 0 || slot.error.code === "exited") continue;
    if (slot.error.code === "unhealthy" || slot.error.code === "oom") continue;
    const type = slot.error.code === "image_missing" ? "image_unavailable" : "start_failed";
    trouble(type, slot.error.code, `Replica ${replica} does not start: ${slot.error.message}`);
  }
  return found;
}

function crashLoops(streak: number, failures: number): boolean {
  return failures >= 2 || streak >= 5;
}
