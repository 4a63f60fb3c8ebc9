import { exact, relative } from "./format.ts";
import { useNow } from "./live.ts";

/** A moment as people say it, with the exact one on hover. */
export function When({ at }: { at: string | number }) {
  const now = useNow(5_000);
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(ms)) return <span className="soft">–</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {relative(ms, now)}
    </time>
  );
}
