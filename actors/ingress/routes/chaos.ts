import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { durationUpTo } from "#infra/http/fields.ts";
import { durationMs } from "#runtime";
import { type Chaos, FAULT_KINDS } from "../chaos.ts";

const Kind = v.picklist(FAULT_KINDS);
const Target = v.object({ kind: Kind, target: v.string(), label: v.string() });
const Fault = v.object({
  ...Target.entries,
  id: v.string(),
  since: v.string(),
  until: v.string(),
  delayMs: v.pipe(v.nullable(v.number()), v.description("Of `slow`: what each publish waits for")),
});
const View = v.object({
  targets: v.pipe(v.array(Target), v.description("What can be done to whom")),
  faults: v.pipe(v.array(Fault), v.description("What lasts")),
});
const MOST_MS = 300_000;
const MOST_DELAY_MS = 30_000;
const lasting = v.pipe(
  durationUpTo("7d"),
  v.check((text) => durationMs(text as "1s") <= MOST_MS, "must be at most 5m"),
);
const delay = v.pipe(
  durationUpTo("7d"),
  v.check((text) => durationMs(text as "1s") <= MOST_DELAY_MS, "must be at most 30s"),
);
const Begin = v.strictObject({
  kind: Kind,
  target: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  for: v.optional(lasting, "30s"),
  delay: v.optional(delay, "500ms"),
});

const about = { tag: "Chaos", noun: "fault", scope: "admin" } as const;

/** Faults on purpose. There are no such routes unless `TROUPE_CHAOS` is `on`. */
export function chaosRoutes(chaos: Chaos) {
  return endpoints("chaos", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/chaos",
        summary: "Show what faults can be done, and which last",
        answer: { status: 200, description: "Targets and faults", schema: View },
      },
      async () => ({ targets: [...(await chaos.targets())], faults: [...chaos.faults()] }),
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/chaos",
        summary: "Do a fault on purpose",
        description:
          "`still`: a server of the development stack is stopped where it stands, and goes on afterwards. `slow`: each publish of this process to a sink waits for `delay`. `kill`: a container ends at once. It ends by itself after `for`, 5 minutes at most.",
        body: Begin,
        answer: { status: 201, description: "It lasts", schema: Fault },
      },
      async ({ body: { kind, target, for: lasts, delay: waits } }) => {
        const request = { kind, target, forMs: durationMs(lasts as "1s"), delayMs: durationMs(waits as "1s") };
        const fault = await chaos.begin(request);
        if (fault === undefined) throw notFound("fault");
        return { ...fault };
      },
    ),
    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/chaos/:id",
        summary: "End a fault early",
        params: v.object({ id: v.pipe(v.string(), v.maxLength(100)) }),
        answer: { status: 204, description: "It is over" },
      },
      ({ params: { id } }) => {
        if (!chaos.end(id)) throw notFound("fault");
        return undefined;
      },
    ),
  ]);
}
