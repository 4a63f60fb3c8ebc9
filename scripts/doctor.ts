/** `bun run doctor`: what is here, what is missing, what fixes it. Only built-in modules are imported up here, since there may be no others yet. */
import { ensureInstalled } from "./install.ts";

try {
  await ensureInstalled(console.error);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error("fix: bun install");
  process.exit(1);
}
const { doctor } = await import("./doctor/report.ts");
process.exit(await doctor(process.argv.slice(2)));
