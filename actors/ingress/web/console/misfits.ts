/** A place of a dead letter's data that does not fit, and why. */
export interface Misfit {
  /** JSON pointer into the data: `/lines/0/sku`; empty for the data itself. */
  readonly pointer: string;
  readonly message: string;
}

const PLACE = /^\/data(\/\S*)? (.+)$/;

/** Reads the places out of the words that a dead letter of the reason `schema` carries: `/data/n must be a number; …`. */
export function misfitsOf(detail: string): readonly Misfit[] {
  return detail.split("; ").flatMap((part) => {
    const [, pointer = "", message] = PLACE.exec(part) ?? [];
    return message === undefined ? [] : [{ pointer, message }];
  });
}

/** A line of JSON, with what does not fit there. */
export interface MarkedLine {
  readonly text: string;
  readonly misfits: readonly string[];
}

/**
 * A value as lines of JSON, each place that does not fit marked on the line where it begins. A place that is not there, as a
 * member that is missing, is marked where its nearest parent begins.
 */
export function markedLines(value: unknown, misfits: readonly Misfit[]): readonly MarkedLine[] {
  const lines: { readonly text: string; readonly pointer: string }[] = [];
  const write = (shown: unknown, pointer: string, indent: string, before: string, after: string): void => {
    if (typeof shown !== "object" || shown === null || Object.keys(shown).length === 0)
      return void lines.push({ text: `${indent}${before}${JSON.stringify(shown)}${after}`, pointer });
    const [open, close] = Array.isArray(shown) ? ["[", "]"] : ["{", "}"];
    lines.push({ text: `${indent}${before}${open}`, pointer });
    const members = Object.entries(shown);
    for (const [i, [name, member]] of members.entries()) {
      const comma = i === members.length - 1 ? "" : ",";
      const key = Array.isArray(shown) ? "" : `${JSON.stringify(name)}: `;
      write(member, `${pointer}/${escaped(name)}`, `${indent}  `, key, comma);
    }
    lines.push({ text: `${indent}${close}${after}`, pointer: "end" });
  };
  write(value, "", "", "", "");
  const known = new Set(lines.map(({ pointer }) => pointer));
  const marks = Map.groupBy(misfits, ({ pointer }) => nearest(pointer, known));
  return lines.map(({ text, pointer }) => ({
    text,
    misfits: (marks.get(pointer) ?? []).map(({ message }) => message),
  }));
}

function nearest(pointer: string, known: ReadonlySet<string>): string {
  let at = pointer;
  while (at !== "" && !known.has(at)) at = at.slice(0, at.lastIndexOf("/"));
  return at;
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
