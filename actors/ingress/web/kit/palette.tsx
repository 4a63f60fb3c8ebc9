import { Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

/** Something the palette leads to. */
export interface PaletteEntry {
  readonly label: string;
  readonly hint?: string;
  readonly run: () => void;
}

/**
 * `⌘K` or `Ctrl K`: pages, actions, and any id.
 * @param entries of what was typed; asked anew with each letter.
 */
export function Palette({ entries }: { entries: (typed: string) => readonly PaletteEntry[] }) {
  const element = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const shown = useMemo(() => entries(typed.trim()).slice(0, 12), [entries, typed]);
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
            key={entry.label}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at}
            onMouseEnter={() => setAt(i)}
            onClick={() => run(entry)}
          >
            <span className="grow clip">{entry.label}</span>
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
