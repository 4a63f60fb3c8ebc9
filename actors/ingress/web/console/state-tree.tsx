import { useEffect, useRef, useState } from "react";

const OPEN_ITEMS = 12;

/** A value as a tree. What changed since it was shown last is marked for a moment. */
export function StateTree({ value }: { value: unknown }) {
  if (typeof value !== "object" || value === null) return <Leaf value={value} />;
  const entries = Object.entries(value);
  if (entries.length === 0) return <code className="soft">{Array.isArray(value) ? "[]" : "{}"}</code>;
  return (
    <ul className="tree">
      {entries.map(([key, child]) => (
        <li key={key}>
          {typeof child === "object" && child !== null && Object.keys(child).length > 0 ? (
            <details open={Object.keys(child).length <= OPEN_ITEMS}>
              <summary>
                <span className="tree-key">{key}</span> <span className="soft small">{sizeOf(child)}</span>
              </summary>
              <StateTree value={child} />
            </details>
          ) : (
            <>
              <span className="tree-key">{key}</span> <StateTree value={child} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function sizeOf(value: object): string {
  const size = Object.keys(value).length;
  return Array.isArray(value) ? `${size} item${size === 1 ? "" : "s"}` : `${size} field${size === 1 ? "" : "s"}`;
}

function Leaf({ value }: { value: unknown }) {
  const text = JSON.stringify(value) ?? "undefined";
  const before = useRef(text);
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    if (before.current === text) return undefined;
    before.current = text;
    setFresh(true);
    const timer = setTimeout(() => setFresh(false), 2_000);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <code className="tree-value" data-kind={value === null ? "null" : typeof value} data-fresh={fresh}>
      {text}
    </code>
  );
}
