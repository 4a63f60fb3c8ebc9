/** `bun run stack`: the servers only, until Ctrl-C. Only built-in modules are imported up here, since there may be no others yet. */
import { elapsedMs, ensureInstalled } from "./install.ts";

try {
  // With --json only JSON may go to standard output.
  await ensureInstalled(console.error);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const { stackOnly } = await import("./dev/stack-only.ts");
process.exit(await stackOnly(process.argv.slice(2), elapsedMs));
