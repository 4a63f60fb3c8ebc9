import { useAction } from "../kit/action.ts";
import { count } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { type ListPage, usePolled } from "./api.ts";

interface Replay {
  readonly id: string;
  readonly status: string;
  readonly matching: number;
  readonly replayed: number;
  readonly failed: number;
  readonly startedAt: string;
  readonly detail: string | null;
}

/** The replays of many dead letters, how far each is, and how to stop one. */
export function Replays() {
  const path = "/dead-letters/replays?limit=20";
  const replays = usePolled<ListPage<Replay>>(path, 2_000);
  const action = useAction([path], ["dead-letters"]);
  return (
    <Loaded query={replays} rows={1}>
      {({ items }) =>
        items.length === 0 ? (
          <span className="soft">None was started yet</span>
        ) : (
          <ul className="lines">
            {items.map(({ id, status, matching, replayed, failed, startedAt, detail }) => (
              <li key={id}>
                <Status status={status} />
                <progress max={Math.max(1, matching)} value={replayed + failed} aria-label={`Replay ${id}`} />
                <span className="grow number">
                  {count(replayed)} of {count(matching)} replayed{failed > 0 && `, ${count(failed)} failed`}
                  {detail !== null && <span className="soft"> · {detail}</span>}
                </span>
                <span className="soft small">
                  <When at={startedAt} />
                </span>
                {status === "running" && (
                  <button
                    type="button"
                    className="button danger"
                    onClick={() => action.mutate({ path: `/dead-letters/replays/${id}/stop`, done: "Stopped" })}
                  >
                    Stop
                  </button>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
