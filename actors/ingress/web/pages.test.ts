import { expect, test } from "bun:test";
import { clusterPage } from "./cluster.ts";
import { consolePage } from "./console.ts";
import { followTopics } from "./follow-topics.ts";
import { openApiPage } from "./openapi.ts";
import { openSession } from "./session.ts";
import { storefrontPage } from "./storefront.ts";

/** The text of the page's own script. */
function scriptOf(page: string): string {
  return /<script type="module">([\s\S]*)<\/script>/.exec(page)?.[1] ?? "";
}

test("the script of every page can be read, and what it carries needs nothing from outside", () => {
  for (const page of [storefrontPage(), consolePage(null), clusterPage(), openApiPage()]) {
    const script = scriptOf(page);
    expect(script).toContain("const followTopics = function followTopics");
    expect(script).toContain("const openSession = function openSession");
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    new Bun.Transpiler({ loader: "js" }).transformSync(script);
  }
  for (const carried of [followTopics, openSession]) {
    const { imports } = new Bun.Transpiler({ loader: "js" }).scan(`const f = ${carried.toString()}`);
    expect(imports).toEqual([]);
  }
});
