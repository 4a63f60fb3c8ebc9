import { type ReactNode, useState } from "react";

/** A value as JSON, to read and to scroll by keyboard. */
export function Json({ value, label }: { value: unknown; label: string }) {
  return (
    <pre className="json" tabIndex={0} role="region" aria-label={label}>
      {JSON.stringify(value, undefined, 2) ?? "undefined"}
    </pre>
  );
}

/** A form of one field of JSON, which is checked before it is sent. */
export function JsonForm({
  label,
  initial,
  submit,
  onSubmit,
  disabled = false,
  children,
}: {
  label: string;
  initial: string;
  submit: string;
  onSubmit: (value: unknown) => void;
  disabled?: boolean;
  /** Further fields, above. */
  children?: ReactNode;
}) {
  const [text, setText] = useState(initial);
  const [wrong, setWrong] = useState<string>();
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        try {
          onSubmit(text.trim() === "" ? undefined : (JSON.parse(text) as unknown));
          setWrong(undefined);
        } catch (error) {
          setWrong(error instanceof Error ? error.message : String(error));
        }
      }}
    >
      {children}
      <div className="field">
        <label htmlFor={`json-${label}`}>{label}</label>
        <textarea
          id={`json-${label}`}
          className="textarea"
          rows={Math.min(18, Math.max(4, initial.split("\n").length))}
          spellCheck={false}
          value={text}
          aria-invalid={wrong !== undefined}
          onChange={(event) => setText(event.target.value)}
        />
        {wrong !== undefined && (
          <span className="error" role="alert">
            {wrong}
          </span>
        )}
      </div>
      <div className="row">
        <button type="submit" className="button primary" disabled={disabled}>
          {submit}
        </button>
      </div>
    </form>
  );
}
