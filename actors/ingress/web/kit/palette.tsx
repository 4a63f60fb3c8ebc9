import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { State, type Tone } from "./state.tsx";

/** Something that the palette leads to. */
export interface PaletteEntry {
  readonly label: string;
  /** What one wants to know before going there, as in why it failed. */
  readonly detail?: string | null;
  readonly state?: { readonly tone: Tone; readonly word: string };
  readonly hint?: string;
  readonly run: () => void;
}

/** More are not read. */
const SHOWN = 14;

/**
 * `⌘K` or `Ctrl K`: pages, actions, and any id.
 * @param useEntries of what was typed; a hook, asked with each letter.
 */
export function Palette({ useEntries }: { useEntries: (typed: string) => readonly PaletteEntry[] }) {
  const element = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const shown = useEntries(typed.trim()).slice(0, SHOWN);
  useEffect(() => {
    const open = (event: KeyboardEvent): void => {
      const inField = event.target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      const asked = (event.key === "k" && (event.metaKey || event.ctrlKey)) || (event.key === "/" && !inField);
      if (!asked) return;
      event.preventDefault();
      setTyped("");
      setAt(0);
      if (element.current?.open !== true) element.current?.showModal();
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, []);
  const run = (entry: PaletteEntry | undefined): void => {
    if (entry === undefined) return;
    element.current?.close();
    entry.run();
  };
  return (
    <dialog
      ref={element}
      className="palette"
      aria-label="Go to"
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={shown.length > 0 ? `palette-${at}` : undefined}
        aria-label="A page, an action, or any id"
        placeholder="A page, an action, or any id"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt((i) => Math.min(i + 1, shown.length - 1));
          else if (event.key === "ArrowUp") setAt((i) => Math.max(i - 1, 0));
          else if (event.key === "Enter") run(shown[at]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Results">
        {shown.map((entry, i) => (
          <li
            key={`${i}/${entry.label}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at}
            onMouseEnter={() => setAt(i)}
            onClick={() => run(entry)}
          >
            {entry.state !== undefined && <State tone={entry.state.tone}>{entry.state.word}</State>}
            <span className="grow palette-text">
              <span className="clip">{entry.label}</span>
              {entry.detail != null && <span className="soft small clip">{entry.detail}</span>}
            </span>
            {entry.hint !== undefined && <span className="soft small">{entry.hint}</span>}
          </li>
        ))}
        {shown.length === 0 && <li aria-selected="false">Nothing fits</li>}
      </ul>
    </dialog>
  );
}

/** What opens the palette for those who do not know its key. */
export function PaletteButton({ label = "Search" }: { label?: string }) {
  return (
    <button
      type="button"
      className="button palette-button"
      aria-label={`${label}: Ctrl K`}
      onClick={() => dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }))}
    >
      <Search size={14} aria-hidden="true" />
      <span className="grow">{label}</span>
      <kbd>Ctrl K</kbd>
    </button>
  );
}
