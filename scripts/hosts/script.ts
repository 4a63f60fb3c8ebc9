/** The suite as a program, for Bun, Deno and Node: its last line is the outcome as JSON. */
import { runSuite } from "./suite.ts";

console.log(JSON.stringify(await runSuite()));
