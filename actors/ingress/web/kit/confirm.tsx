import type { LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Dialog } from "./dialog.tsx";

interface ConfirmProps {
  /** On the button that asks. */
  readonly label: string;
  readonly icon?: LucideIcon;
  readonly title: string;
  /** On the button that does it. */
  readonly sure: string;
  readonly onSure: () => void;
  readonly disabled?: boolean;
  /** What will happen. */
  readonly children: ReactNode;
}

/** An action that cannot be taken back: says what will happen, and asks once. */
export function Confirm({ label, icon: Icon, title, sure, onSure, disabled = false, children }: ConfirmProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button danger" disabled={disabled} onClick={() => setOpen(true)}>
        {Icon && <Icon size={14} aria-hidden="true" />}
        {label}
      </button>
      <Dialog
        title={title}
        open={open}
        onClose={() => setOpen(false)}
        foot={
          <>
            <button type="button" className="button" onClick={() => setOpen(false)}>
              No, leave it
            </button>
            <button
              type="button"
              className="button danger"
              onClick={() => {
                setOpen(false);
                onSure();
              }}
            >
              {sure}
            </button>
          </>
        }
      >
        {children}
      </Dialog>
    </>
  );
}
