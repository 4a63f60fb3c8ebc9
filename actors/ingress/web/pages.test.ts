import { expect, test } from "bun:test";
import { consolePage } from "./console.ts";
import { followTopics } from "./follow-topics.ts";
import { openApiPage } from "./openapi.ts";
import { storefrontPage } from "./storefront.ts";

/** The text of the page's own script. */
function scriptOf(page: string): string {
  return /<script type="module">([\s\S]*)<\/script>/.exec(page)?.[1] ?? "";
}

test("the script of every page can be read, and its client of sockets needs nothing from outside", () => {
  for (const page of [storefrontPage(), consolePage(null), openApiPage()]) {
    const script = scriptOf(page);
    expect(script).toContain("const followTopics = function followTopics");
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    new Bun.Transpiler({ loader: "js" }).transformSync(script);
  }
  const { imports } = new Bun.Transpiler({ loader: "js" }).scan(`const f = ${followTopics.toString()}`);
  expect(imports).toEqual([]);
});
