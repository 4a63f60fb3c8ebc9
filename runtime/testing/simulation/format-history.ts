import type { History, HistoryEntry, RecordEntry } from "./history.ts";
import type { Violation } from "./violation.ts";

/** An entry as one line for people. */
export function formatEntry(entry: HistoryEntry): string {
  return `${entry.at.toFixed(2).padStart(10)} ms  ${describe(entry)}`;
}

/** The last lines of a history that have to do with a violation, up to where it shows. */
export function relevantLines(history: History, { index, about }: Violation, limit = 30): string[] {
  const lines: string[] = [];
  for (let i = Math.min(index, history.length - 1); i >= 0 && lines.length < limit; i--) {
    const entry = history[i] as HistoryEntry;
    if (entry.kind === "delivered" || entry.kind === "ownership" || entry.kind === "world") continue;
    const line = formatEntry(entry);
    const always = entry.kind === "node" || entry.kind === "fault" || about.length === 0;
    if (i === index || always || about.some((word) => line.includes(word))) lines.push(line);
  }
  return lines.reverse();
}

function describe(entry: HistoryEntry): string {
  switch (entry.kind) {
    case "world":
      return `seed ${entry.seed}, ${entry.nodes} nodes`;
    case "node":
      return `${entry.node} ${entry.event}`;
    case "fault":
      return `fault ${entry.fault}: ${entry.detail}`;
    case "call":
      return `call ${entry.call} at ${entry.node}: ${entry.actor} ${entry.message} ${entry.input}${named(entry.id)}`;
    case "answer":
      return `call ${entry.call} of ${entry.actor} is answered: ${JSON.stringify(entry.outcome)}`;
    case "delivered":
      return `${entry.node} ${entry.actor} gets ${entry.message}, ${entry.depth} wait`;
    case "turn":
      return `${entry.node} turn ${entry.turn} begins: ${entry.actor} ${entry.message} on ${entry.state}`;
    case "turn-end":
      return `turn ${entry.turn} of ${entry.actor} ends: ${entry.outcome}`;
    case "finished":
      return `${entry.node} turn ${entry.turn} of ${entry.actor} ${entry.message} ${entry.unchanged === true ? "keeps" : "makes"} version ${entry.version}: ${entry.state}${named(entry.id)}`;
    case "query":
      return `${entry.node} ${entry.actor} ${entry.message} reads ${entry.state}, replies ${entry.reply}`;
    case "ownership":
      return `partition ${entry.partition} is ${entry.node ?? "nobody"}'s under epoch ${entry.epoch}`;
    case "commit":
      return `${entry.node} commit ${entry.outcome}: ${entry.states.map(({ actor, version, state }) => `${actor} v${version} ${state}`).join(", ")}${list(entry.outbox.map(record))}`;
    case "published":
      return `${entry.sink} gets from ${entry.node}: ${record(entry.record)}`;
    case "dead-letter":
      return `dead letter ${entry.id} for ${entry.target}`;
    case "stored":
      return `stored: ${entry.actor} v${entry.version} ${entry.state}`;
    case "end":
      return `end${list(entry.waiting)}`;
  }
}

function record({ partition, seq, kind, id, name, actor, target }: RecordEntry): string {
  return `${kind} ${partition}/${seq} ${name} of ${actor} for ${target} (${id})`;
}

function named(id: string | null): string {
  return id === null ? "" : ` (${id})`;
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? "" : `; ${texts.join("; ")}`;
}
