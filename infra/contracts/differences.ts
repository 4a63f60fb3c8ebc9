import type { ActorContract, JsonSchema } from "./contract.ts";
import { misfits } from "./fits.ts";

/** One thing that keeps two versions from running beside each other. */
export interface ContractDifference {
  readonly type: string;
  /** As in `reserve.in`, `reserve.out`, `stock.reserved.v1`, `state`. */
  readonly part: string;
  /** Into the schema of the part. */
  readonly pointer: string;
  readonly was: unknown;
  readonly is: unknown;
  readonly why: string;
}

/**
 * What keeps nodes with the contract `is` from running beside nodes with `was`; nothing when they can.
 *
 * While both run, any node may call any other, either may own an actor, and consumers know the older events:
 *
 * - an **input** may widen: what the older version sends, the newer one takes. It may not narrow, and a message may not
 *   go. (What only the newer version can say is refused by an older owner until that has left: send it a release later.)
 * - an **output** and an **event** may narrow, or say more: what the newer version answers is still an answer to the older
 *   one. It may not widen.
 * - the **state** must be readable both ways, since an actor moves from one version to the other and back: fields may be
 *   added if they are optional, and nothing else.
 * - types, messages, events and queries may be added.
 */
export function contractDifferences(was: ActorContract, is: ActorContract): ContractDifference[] {
  const found: ContractDifference[] = [];
  const { type } = is;
  const readableByNew = (part: string, old: JsonSchema | undefined, now: JsonSchema | undefined, why: string): void => {
    if (now === undefined) return; // nothing is read
    for (const { pointer, narrow, wide } of misfits(old ?? {}, now))
      found.push({ type, part, pointer, was: narrow, is: wide, why });
  };
  const readableByOld = (part: string, old: JsonSchema | undefined, now: JsonSchema | undefined, why: string): void => {
    if (old === undefined) return;
    for (const { pointer, narrow, wide } of misfits(now ?? {}, old))
      found.push({ type, part, pointer, was: wide, is: narrow, why });
  };
  for (const [name, message] of Object.entries(was.messages)) {
    const now = is.messages[name];
    if (now === undefined) {
      found.push({
        type,
        part: name,
        pointer: "",
        was: message.kind,
        is: undefined,
        why: "the older version sends it",
      });
      continue;
    }
    readableByNew(`${name}.in`, message.in, now.in, "the older version sends what the newer one refuses");
    readableByOld(`${name}.out`, message.out, now.out, "the newer version answers what the older one does not expect");
  }
  for (const [name, schema] of Object.entries(was.events)) {
    if (is.events[name] === undefined) continue; // no more of them: nobody is surprised by what does not come
    readableByOld(name, schema, is.events[name], "consumers do not expect it: emit a new version beside it");
  }
  readableByNew("state", was.state, is.state, "the newer version reads what the older one wrote");
  readableByOld("state", was.state, is.state, "the older version reads what the newer one wrote");
  return found;
}

/** One line: `stock  reserve.in  /properties/quantity/minimum  was 1, is 2 (…)`. */
export function describeDifference({ type, part, pointer, was, is, why }: ContractDifference): string {
  return `${type}  ${part}  ${pointer || "/"}  was ${shown(was)}, is ${shown(is)} (${why})`;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
