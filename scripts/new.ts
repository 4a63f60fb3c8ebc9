/** `bun run new actor NAME`: a new actor with a test that passes. Only built-in modules are imported up here, since there may be no others yet. */
import { ensureInstalled } from "./install.ts";

try {
  await ensureInstalled(console.error);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const { main } = await import("./new/main.ts");
process.exit(await main(process.argv.slice(2)));
