import type { ReactNode } from "react";
import { ApiError } from "./api.ts";
import { CopyButton } from "./chip.tsx";

/** A place that is kept while its content is on the way: of the final size, so that nothing jumps. */
export function Skeleton({
  height = 20,
  width = "100%",
  rows = 1,
}: {
  height?: number;
  width?: string | number;
  rows?: number;
}) {
  return (
    <div className="stack" style={{ gap: 8 }} aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="skeleton" style={{ height, width }} />
      ))}
    </div>
  );
}

/** Nothing here, and what to do next. */
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <div className="empty">
      <h3>{title}</h3>
      {children !== undefined && <div>{children}</div>}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}

/** A command to copy. */
function Command({ text }: { text: string }) {
  return (
    <span className="command">
      <code>{text}</code>
      <CopyButton text={text} label="Copy the command" />
    </span>
  );
}

/** What failed, what the server says of it, its trace, and another try. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const traceId = error instanceof ApiError ? error.traceId : undefined;
  return (
    <div className="failure" role="alert">
      <strong>{titleOf(error)}</strong>
      <span>{error instanceof Error ? error.message : String(error)}</span>
      {error instanceof ApiError && error.errors.length > 0 && (
        <ul className="small">
          {error.errors.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {traceId !== undefined && (
        <span className="small soft">
          Trace <code>{traceId}</code>
        </span>
      )}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

function titleOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "The server cannot be reached";
  if (error.status === 403) return "This key may not see that";
  if (error.status === 404) return "There is no such thing";
  if (error.status >= 500) return "The server could not answer";
  return "The request was refused";
}
