import { compact } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { Sparkline } from "../kit/sparkline.tsx";
import { Status } from "../kit/state.tsx";
import { type Ready, usePolled } from "./api.ts";
import { total } from "./metrics.ts";
import { Needs } from "./needs.tsx";
import { type Watched, useHistory } from "./rates.ts";
import { Topology } from "./topology.tsx";

const WATCHED: readonly Watched[] = [
  { name: "troupe_http_requests_total", kind: "counter" },
  { name: "troupe_turns_total", kind: "counter" },
  { name: "troupe_outbox_pending", kind: "gauge" },
  { name: "troupe_dead_letters", kind: "gauge" },
  { name: "troupe_ws_connections", kind: "gauge" },
];
const TILES = ["requests/s", "turns/s", "events pending", "dead letters", "open sockets"];

/** What needs attention first, then how much is going on, and what runs. */
export function Overview() {
  const ready = usePolled<Ready>("/ready");
  const { metrics, history } = useHistory(WATCHED);
  return (
    <Page title="Overview" tools={ready.data && <Status status={ready.data.status} />}>
      <Needs />
      <ul className="tiles">
        {TILES.map((label, i) => {
          const values = history.values[i] ?? [];
          const watched = WATCHED[i];
          // A gauge is known at once, a rate needs a second look.
          const first = watched?.kind === "gauge" && metrics !== undefined ? total(metrics, watched.name) : undefined;
          const now = values.at(-1) ?? first;
          return (
            <li key={label}>
              <span className="soft small">{label}</span>
              <span className="tile-value number">{now === undefined ? "…" : compact(now)}</span>
              <Sparkline values={values.slice(-40)} width={96} />
            </li>
          );
        })}
      </ul>
      <Topology />
      <Section title="Components">
        <Loaded query={ready} rows={8}>
          {({ components }) => (
            <ul className="lines">
              {components.map(({ name, status, address, how }) => (
                <li key={name}>
                  <strong className="line-name">{name}</strong>
                  <Status status={status} />
                  <code className="grow clip">{address ?? "–"}</code>
                  {how !== "" && <span className="soft small">{how}</span>}
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Section>
    </Page>
  );
}
