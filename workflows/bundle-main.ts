/** `bundle-main.ts ENTRY OUT`: writes the bundle of a workflow entry file. A process of its own, see `bundle.ts`. */
import { rename, writeFile } from "node:fs/promises";
import { bundleWorkflowCode } from "@temporalio/worker";

const [workflowsPath, out] = process.argv.slice(2);
if (workflowsPath === undefined || out === undefined) throw new TypeError("Expected an entry file and a file to write");

const nothing = (): void => undefined;
const logger = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
const { code } = await bundleWorkflowCode({ workflowsPath, logger });
// Under a name of its own first: a reader must never find half a bundle.
const draft = `${out}.${process.pid}`;
await writeFile(draft, code);
await rename(draft, out);
