import { expect, test } from "bun:test";
import { faultsOf, metricNames } from "./exposition.ts";

const GOOD = `# HELP a_total Some
# TYPE a_total counter
a_total{x="1",y="a\\"b"} 2
# HELP b_seconds Some
# TYPE b_seconds histogram
b_seconds_bucket{le="0.5"} 1
b_seconds_bucket{le="+Inf"} 2
b_seconds_sum 3
b_seconds_count 2
`;

test("faultsOf() finds nothing in a well-formed scrape, and metricNames() every series of it", () => {
  expect(faultsOf(GOOD)).toEqual([]);
  expect([...metricNames(GOOD)]).toEqual([
    "a_total",
    "b_seconds",
    "b_seconds_bucket",
    "b_seconds_sum",
    "b_seconds_count",
  ]);
});

test.each([
  ["a series twice", GOOD.replace("# HELP b", 'a_total{y="a\\"b",x="1"} 2\n# HELP b'), "is there twice"],
  ["a counter without _total", GOOD.replaceAll("a_total", "a_count"), "counters alone end with _total"],
  ["a gauge with _total", GOOD.replace("a_total counter", "a_total gauge"), "counters alone end with _total"],
  ["no help", GOOD.replace("# HELP a_total Some\n", ""), "no help before its type"],
  ["an empty help", GOOD.replace("a_total Some", "a_total "), "has no help text"],
  ["a raw quote in a label", GOOD.replace('a\\"b', 'a"b'), "not readable"],
  ["a value that is no number", GOOD.replace("b_seconds_sum 3", "b_seconds_sum NaN?"), "not readable"],
  ["buckets that shrink", GOOD.replace('le="0.5"} 1', 'le="0.5"} 3'), "buckets that shrink"],
  ["no last bucket", GOOD.replace('le="+Inf"} 2', 'le="1"} 2'), "does not end with +Inf"],
  ["a sample outside its block", `${GOOD}a_total 1\n`, "outside its block"],
  ["a negative counter", GOOD.replace('b"} 2', 'b"} -2'), "is a counter of -2"],
  ["a last line without an end", GOOD.trimEnd(), "has no end"],
])("faultsOf() refuses %s", (_, text, said) => {
  expect(faultsOf(text).join("\n")).toContain(said);
});
