/** `bundle-main.ts ENTRY OUT [ENTRY OUT …]`: writes the bundles of workflow entry files. A process of its own, see `bundle.ts`. */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleWorkflowCode } from "@temporalio/worker";

const files = process.argv.slice(2);
if (files.length === 0 || files.length % 2 !== 0)
  throw new TypeError("Expected entry files, each with a file to write after it");

const TRACE_INTERCEPTORS = join(import.meta.dirname, "trace-interceptors.ts");
const nothing = (): void => undefined;
const logger = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
for (let at = 0; at < files.length; at += 2) {
  const [workflowsPath = "", out = ""] = files.slice(at, at + 2);
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [TRACE_INTERCEPTORS],
    logger,
  });
  // Under a name of its own first: a reader must never find half a bundle.
  const draft = `${out}.${process.pid}`;
  await writeFile(draft, code);
  await rename(draft, out);
}
