import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";

interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly foot?: ReactNode;
  /** `drawer` comes from the side. */
  readonly kind?: "dialog" | "drawer";
}

/** The browser's own modal dialog: it keeps the focus, and Escape closes it. */
export function Dialog({ title, open, onClose, children, foot, kind = "dialog" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      className={kind}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === element.current && onClose()}
    >
      {open && (
        <>
          <div className="dialog-head">
            <h2 id={id} className="grow">
              {title}
            </h2>
            <button type="button" className="button quiet icon" aria-label="Close" onClick={onClose}>
              <X size={16} />
            </button>
          </div>
          <div className="dialog-body">{children}</div>
          {foot !== undefined && <div className="dialog-foot">{foot}</div>}
        </>
      )}
    </dialog>
  );
}
