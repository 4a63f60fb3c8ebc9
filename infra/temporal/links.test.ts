import { expect, test } from "bun:test";
import { workflowLink } from "./links.ts";

test("workflowLink() escapes the slash of a workflow id and adds the run where it is known", () => {
  expect(workflowLink("http://localhost:8233/", "default", "fulfil-order/ord_42")).toBe(
    "http://localhost:8233/namespaces/default/workflows/fulfil-order%2Ford_42",
  );
  expect(workflowLink("http://localhost:8233", "default", "a", "run-1")).toEndWith("/workflows/a/run-1");
});
