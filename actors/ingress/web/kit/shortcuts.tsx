import { useEffect, useState } from "react";
import { Dialog } from "./dialog.tsx";

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["Ctrl K or ⌘ K", "find a page, or anything by its id"],
  ["/", "the same"],
  ["↑ ↓", "go through what was found, or from row to row of a table"],
  ["Enter", "open it"],
  ["Tab", "go to the next thing that can be used"],
  ["Escape", "close what is open"],
  ["?", "show this list"],
];

/** `?`: the keys that do something. */
export function Shortcuts() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const asked = (event: KeyboardEvent): void => {
      const inField = event.target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key === "?" && !inField) setOpen(true);
    };
    addEventListener("keydown", asked);
    return () => removeEventListener("keydown", asked);
  }, []);
  return (
    <Dialog title="Keys" open={open} onClose={() => setOpen(false)}>
      <dl className="facts">
        {KEYS.map(([keys, does]) => (
          <div key={keys} className="fact">
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
