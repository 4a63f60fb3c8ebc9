import { expect, setDefaultTimeout, test } from "bun:test";
import { runSteps } from "../verify/run.ts";
import { narrowTo, wholeTree } from "../verify/scope.ts";
import { checks } from "../verify/steps.ts";
import { NEW, temporaryCheckout } from "./checkout.fixture.ts";

// No servers, but every check of the project.
setDefaultTimeout(300_000);

/** The second is as long as an actor's name may be: its lines have to be broken elsewhere. */
const NAMES = ["shop/parcel", "very-long-name-of-a-thing-that-somebody-might-call-an-actor-0-1"];

test("bun run new actor makes actors that pass every check and their own tests at once", async () => {
  using checkout = temporaryCheckout();
  const { root } = checkout;
  for (const name of NAMES)
    expect(Bun.spawnSync([process.execPath, NEW, "actor", name, "--dir", root]).exitCode).toBe(0);
  const files = NAMES.flatMap((name) => {
    const actor = name.slice(name.indexOf("/") + 1);
    return ["messages", actor, `${actor}.test`].map((file) => `actors/${name}/${file}.ts`);
  });
  const whole = wholeTree(root);
  const steps = [...checks(narrowTo(whole, files)), ...checks(whole).filter((step) => step.name === "dead code")];
  const names = ["format", "lint", "types", "boundaries", "contracts", "unit tests", "dead code"];
  expect(steps.map((step) => step.name)).toEqual(names);
  const outcomes = await runSteps(root, steps, 2, () => undefined);
  expect(outcomes.filter(({ passed }) => !passed).map(({ step, output }) => `${step.name}: ${output}`)).toEqual([]);
  expect(outcomes.find(({ step }) => step.name === "unit tests")?.output).toContain("6 pass");
});
