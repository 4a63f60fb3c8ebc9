import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { shorten } from "./format.ts";

/** An id: shortened in the middle, copied by a click; with a link where it leads somewhere. */
export function Chip({
  id,
  children,
  label = "id",
}: {
  id: string;
  children?: (short: string) => ReactNode;
  label?: string;
}) {
  const short = shorten(id);
  return (
    <span className="chip" title={id}>
      <span className="clip">{children === undefined ? short : children(short)}</span>
      <CopyButton text={id} label={`Copy ${label} ${id}`} />
    </span>
  );
}

/** Copies a text, and says that it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="copy"
      aria-label={copied ? "Copied" : label}
      onClick={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void navigator.clipboard.writeText(text).then(() => setCopied(true));
      }}
    >
      {copied ? <Check size={12} /> : <Copy size={12} />}
    </button>
  );
}
