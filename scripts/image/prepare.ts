/** Makes what the app would make at its first start: its pages, and the bundles of its workflows. Run in the image's tree. */
import { writeBundle } from "#actors/ingress/web/bundle.ts";
import { bundlesOf } from "#workflows/bundle.ts";
import { WORKFLOW_ENTRIES } from "#workflows/entries.ts";

await writeBundle();
await bundlesOf(Object.values(WORKFLOW_ENTRIES));
