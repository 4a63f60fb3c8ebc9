/** `bun run create DIR`: a new project with an actor, its tests and a door. Only built-in modules are imported up here, since there may be no others yet. */
import { ensureInstalled } from "./install.ts";

try {
  await ensureInstalled(console.error);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const { create } = await import("./create/main.ts");
process.exit(await create(process.argv.slice(2)));
