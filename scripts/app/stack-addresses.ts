import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The addresses that a running stack left in `<data>/env`, as `KEY=value` lines; nothing when there is no such file.
 * Lines that are no assignment are skipped.
 */
export function stackAddresses(dataDir: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(join(dataDir, "env"), "utf8");
  } catch {
    return {};
  }
  const addresses: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
    if (name !== undefined && value !== undefined) addresses[name] = value;
  }
  return addresses;
}
