import { Loaded } from "../kit/loaded.tsx";
import { Section } from "../kit/page.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";

interface Explained {
  readonly replicas: number;
  readonly configured: number;
  /** The last look of the autoscaler; null: there was none. */
  readonly now: { readonly reason: string } | null;
  readonly decisions: readonly {
    readonly at: string;
    readonly from: number;
    readonly to: number;
    readonly reason: string;
  }[];
}

interface Happenings {
  readonly items: readonly { readonly at: string; readonly type: string; readonly message: string }[];
}

interface Stats {
  readonly items: readonly {
    readonly containerId: string;
    readonly replica: number;
    readonly cpuPercent: number;
    readonly memoryBytes: number;
    readonly memoryLimitBytes: number;
  }[];
}

const MIB = 2 ** 20;
const SHOWN = 30;

/** Why there are this many, what happened, and what each container uses. */
export function ServiceHappenings({ path }: { path: string }) {
  const explained = usePolled<Explained>(`${path}/explain`);
  const happenings = usePolled<Happenings>(`${path}/events`);
  const stats = usePolled<Stats>(`${path}/stats`);
  return (
    <div className="halves">
      <Section title="What happened">
        <Loaded query={happenings} rows={3}>
          {({ items }) => (
            <ul className="lines scrolled" tabIndex={0} aria-label="What happened">
              {items.slice(0, SHOWN).map(({ at, type, message }, i) => (
                <li key={`${at}/${i}`}>
                  <code>{type}</code>
                  <span className="grow">{message}</span>
                  <span className="soft small">
                    <When at={at} />
                  </span>
                </li>
              ))}
              {items.length === 0 && <li className="soft">Nothing yet</li>}
            </ul>
          )}
        </Loaded>
      </Section>
      <div className="stack">
        <Section title="Why this many">
          <Loaded query={explained} rows={2}>
            {({ replicas, configured, now, decisions }) => (
              <div className="stack">
                <p>
                  {replicas === configured
                    ? `The file says ${configured}.`
                    : `The file says ${configured}; ${replicas} are wanted now.`}
                  {now !== null && ` At the last look: ${now.reason}.`}
                </p>
                <ul className="lines">
                  {decisions.slice(0, 8).map(({ at, from, to, reason }) => (
                    <li key={at}>
                      <span className="number">
                        {from} → {to}
                      </span>
                      <span className="grow">{reason}</span>
                      <span className="soft small">
                        <When at={at} />
                      </span>
                    </li>
                  ))}
                </ul>
              </div>
            )}
          </Loaded>
        </Section>
        <Section title="What it uses">
          <Loaded query={stats} rows={2}>
            {({ items }) => (
              <ul className="lines">
                {items.map(({ containerId, replica, cpuPercent, memoryBytes, memoryLimitBytes }) => (
                  <li key={containerId}>
                    <strong className="number">{replica}</strong>
                    <span className="number grow">{cpuPercent.toFixed(1)} % CPU</span>
                    <meter
                      aria-label={`Memory of replica ${replica}`}
                      min={0}
                      max={Math.max(1, memoryLimitBytes)}
                      value={memoryBytes}
                    />
                    <span className="number">{(memoryBytes / MIB).toFixed(1)} MiB</span>
                  </li>
                ))}
                {items.length === 0 && <li className="soft">No container runs</li>}
              </ul>
            )}
          </Loaded>
        </Section>
      </div>
    </div>
  );
}
