/** `bun run pack`: the library as a tarball to install. Only built-in modules are imported up here, since there may be no others yet. */
import { ensureInstalled } from "./install.ts";

try {
  await ensureInstalled(console.error);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const { pack } = await import("./pack/main.ts");
process.exit(await pack(process.argv.slice(2)));
