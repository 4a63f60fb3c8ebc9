import { State, type Tone } from "../kit/state.tsx";

/** What a file would do, as a dry run says. */
export interface Plan {
  /** The revision that it changes. */
  readonly before: number;
  readonly services: readonly { readonly name: string; readonly change: string }[];
  readonly diff: readonly ServiceDiff[];
}

/** What becomes another at one service. */
export interface ServiceDiff {
  readonly name: string;
  readonly change: string;
  readonly fields: readonly Field[];
}

interface Field {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

const TONES: Readonly<Record<string, Tone>> = { create: "good", update: "moving", unchanged: "neutral", remove: "bad" };

/** Changes of services, each place with what stands there and what will. */
export function Differences({ diff }: { readonly diff: readonly ServiceDiff[] }) {
  return (
    <ul className="stack differences">
      {diff.map(({ name, change, fields }) => (
        <li key={name}>
          <span className="row">
            <State tone={TONES[change] ?? "neutral"}>{change}</State>
            <strong>{name}</strong>
          </span>
          <ul className="diff" aria-label={`What changes at ${name}`}>
            {fields.flatMap(linesOf).map(({ sign, path, value }) => (
              <li key={sign + path} data-sign={sign}>
                <span aria-hidden="true">{sign}</span>
                <span className="visually-hidden">{sign === "+" ? "becomes" : "was"}</span>
                <code>
                  {path}
                  {value}
                </code>
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

interface Line {
  readonly sign: "+" | "−";
  readonly path: string;
  readonly value: string;
}

/** A whole service is shown member by member, as a part of it is. */
function linesOf({ path, before, after }: Field): readonly Line[] {
  return [...side("−", path, before), ...side("+", path, after)];
}

function side(sign: Line["sign"], path: string, value: unknown): readonly Line[] {
  if (value === null || value === undefined) return [];
  if (path === "" && typeof value === "object")
    return Object.entries(value).map(([key, one]) => ({ sign, path: `${key}: `, value: JSON.stringify(one) }));
  return [{ sign, path: `${path.slice(1).replaceAll("/", ".")}: `, value: JSON.stringify(value) }];
}
