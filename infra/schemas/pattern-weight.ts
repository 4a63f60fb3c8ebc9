/**
 * How many places of a pattern one character of a text may have to be compared with, at most: RE2 takes time for each. A
 * pattern of a few characters can be a thousand places long (`(?:a{0,1000})b`).
 */
export function patternWeight(pattern: string): number {
  const { size, choices, branches } = measured(pattern);
  // From one start, with at most one choice of how far to go, there are few places to be at.
  return pattern.startsWith("^") && !branches && choices <= 1 ? 2 : size;
}

const ATOM = /^(?:\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^])|\[\^?(?:\\[^]|[^\]\\])*\]|[^])/;
const REPEAT = /^\{(\d+)(,(\d*))?\}/;

function measured(pattern: string): { readonly size: number; readonly choices: number; readonly branches: boolean } {
  /** Of the whole and of each group that is open: what was read so far, and how much of it a quantifier would repeat. */
  const open = [{ size: 1, last: 0 }];
  let choices = 0;
  let branches = false;
  for (let rest = pattern; rest !== "";) {
    const level = open.at(-1) as { size: number; last: number };
    const repeat = REPEAT.exec(rest);
    if (repeat !== null) {
      const from = Number(repeat[1]);
      const to = repeat[2] === undefined ? from : repeat[3] === "" ? from + 1 : Number(repeat[3]);
      if (repeat[2] !== undefined && from !== to) choices++;
      level.size += level.last * Math.max(0, to - 1);
      level.last *= Math.max(1, to);
      rest = rest.slice(repeat[0].length);
      continue;
    }
    const atom = ATOM.exec(rest)?.[0] ?? (rest[0] as string);
    rest = rest.slice(atom.length);
    if (atom === "(") {
      branches = true;
      open.push({ size: 1, last: 0 });
    } else if (atom === ")" && open.length > 1) {
      open.pop();
      const outer = open.at(-1) as { size: number; last: number };
      outer.size += level.size;
      outer.last = level.size;
    } else if (atom === "*" || atom === "+" || atom === "?") {
      choices++;
    } else {
      if (atom === "|") branches = true;
      level.size++;
      level.last = 1;
    }
  }
  return { size: open.reduce((sum, { size }) => sum + size, 0), choices, branches };
}
