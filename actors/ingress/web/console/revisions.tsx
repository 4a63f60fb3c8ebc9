import { useState } from "react";
import { useAction } from "../kit/action.ts";
import { Confirm } from "../kit/confirm.tsx";
import { Json } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";

interface Revision {
  readonly revision: number;
  readonly at: string;
  readonly cause: string;
  readonly changed: readonly { readonly name: string; readonly change: string }[];
}

interface Difference {
  readonly services: readonly {
    readonly name: string;
    readonly change: string;
    readonly fields: readonly { readonly path: string; readonly before: unknown; readonly after: unknown }[];
  }[];
}

/** What was applied, the newest first; what each changed; and the way back. */
export function Revisions() {
  const path = "/config/revisions";
  const revisions = usePolled<{ readonly items: readonly Revision[] }>(path, 10_000);
  const [shown, setShown] = useState<number>();
  const action = useAction([path], ["/services?limit=200"]);
  return (
    <Loaded query={revisions} rows={1}>
      {({ items }) => (
        <ul className="lines">
          {items.map(({ revision, at, cause, changed }, i) => (
            <li key={revision}>
              <strong className="number">{revision}</strong>
              <span className="grow">
                {cause}
                <span className="soft">
                  {" "}
                  · {changed.map(({ name, change }) => `${change} ${name}`).join(", ") || "nothing changed"}
                </span>
              </span>
              <span className="soft small">
                <When at={at} />
              </span>
              <button
                type="button"
                className="button quiet"
                aria-expanded={shown === revision}
                onClick={() => setShown(shown === revision ? undefined : revision)}
              >
                Changes
              </button>
              {i > 0 && (
                <Confirm
                  label="Back to it"
                  title={`Go back to revision ${revision}?`}
                  sure="Roll back"
                  onSure={() =>
                    action.mutate({ path: "/config/rollback", json: { revision }, done: `Rolling back to ${revision}` })
                  }
                >
                  All services become what they were then. That is a new revision: nothing is lost.
                </Confirm>
              )}
              {shown === revision && <Changes revision={revision} />}
            </li>
          ))}
          {items.length === 0 && <li className="soft">Nothing was applied yet</li>}
        </ul>
      )}
    </Loaded>
  );
}

function Changes({ revision }: { revision: number }) {
  const difference = usePolled<Difference>(`/config/revisions/${revision}/diff`, 60_000);
  return (
    <div className="line-more">
      <Loaded query={difference} rows={2}>
        {({ services }) => <Json value={services} label={`Changes of revision ${revision}`} />}
      </Loaded>
    </div>
  );
}
