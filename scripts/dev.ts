/**
 * `bun run dev`: everything, from a fresh clone to a ready app. Only built-in modules are imported up here, since there may be no
 * others yet.
 */
import { elapsedMs, ensureInstalled } from "./install.ts";

try {
  await ensureInstalled();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const { dev } = await import("./dev/run.ts");
process.exit(await dev(process.argv.slice(2), elapsedMs));
