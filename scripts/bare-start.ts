/** `bun run bare-start`: how long the first start takes where nothing is there yet, and the second one. */
import { bareStart } from "./bare-start/run.ts";

process.exit(await bareStart(process.argv.slice(2)));
