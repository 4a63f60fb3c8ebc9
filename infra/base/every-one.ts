import type { ActorSummary, AnyActorType, StateOutput, Troupe } from "#runtime";

/** Every actor of a type, page by page. */
export async function everyOne<A extends AnyActorType>(
  troupe: Pick<Troupe, "list">,
  type: A,
): Promise<readonly ActorSummary<StateOutput<A>>[]> {
  const all: ActorSummary<StateOutput<A>>[] = [];
  for (;;) {
    const after = all.at(-1)?.key;
    const page = await troupe.list(type, { limit: 200, ...(after === undefined ? {} : { after }) });
    all.push(...page);
    if (page.length < 200) return all;
  }
}
