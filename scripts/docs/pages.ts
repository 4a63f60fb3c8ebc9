import { Glob } from "bun";

/** Where our pages stand: the root, and below the folders of the top level. */
const PLACES = ["*.md", ...["runtime", "infra", "actors", "workflows", "scripts"].map((folder) => `${folder}/**/*.md`)];

/** Every Markdown page of the checkout, as paths from its root, in order. */
export function markdownPages(root: string): string[] {
  return PLACES.flatMap((pattern) =>
    [...new Glob(pattern).scanSync(root)].filter((path) => !path.includes("node_modules/")),
  ).sort();
}
