import { useRef } from "react";

/** An error of the text, where it is: both from 1. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

interface YamlEditorProps {
  readonly label: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly marks: readonly Mark[];
}

/** YAML with numbered lines; each error is marked at its line, and listed: a click leads the cursor there. */
export function YamlEditor({ label, text, onChange, marks }: YamlEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const numbers = useRef<HTMLOListElement>(null);
  const wrong = new Set(marks.map(({ line }) => line));
  const go = ({ line, column }: Mark): void => {
    const before = text.split("\n").slice(0, line - 1);
    const at = before.join("\n").length + (line > 1 ? 1 : 0) + column - 1;
    area.current?.focus();
    area.current?.setSelectionRange(at, at);
  };
  return (
    <>
      <div className="yaml">
        <ol ref={numbers} className="yaml-lines" aria-hidden="true">
          {text.split("\n").map((_, i) => (
            <li key={i} data-wrong={wrong.has(i + 1)}>
              {i + 1}
            </li>
          ))}
        </ol>
        <textarea
          ref={area}
          className="textarea editor"
          aria-label={label}
          aria-invalid={marks.length > 0}
          spellCheck={false}
          wrap="off"
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onScroll={(event) => {
            if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
      {marks.length > 0 && (
        <ul className="lines" aria-label="Errors">
          {marks.map((mark) => (
            <li key={`${mark.line}/${mark.column}/${mark.message}`}>
              <button type="button" className="button quiet number" onClick={() => go(mark)}>
                line {mark.line}, column {mark.column}
              </button>
              <span className="grow bad">{mark.message}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
