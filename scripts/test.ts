/** `bun run test`: every test, with servers of its own. Only built-in modules are imported up here, since there may be no others yet. */
import { ensureInstalled } from "./install.ts";

try {
  await ensureInstalled();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log("0 passed, 1 failed");
  process.exit(1);
}
const { runTests } = await import("./dev/run-tests.ts");
process.exit(await runTests(process.argv.slice(2)));
