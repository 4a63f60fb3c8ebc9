import type { Service } from "./api.ts";

const MOST = 20;

/** A dot for each replica: filled where it runs and is healthy, ringed where it is still wanted, crossed where it fails. */
export function ReplicaDots({ service: { desired, observed } }: { service: Service }) {
  const healthy = observed.filter((one) => one.healthy && one.state === "running").length;
  const ill = observed.length - healthy;
  const missing = Math.max(0, desired.replicas - observed.length);
  const dots = [
    ...Array<string>(healthy).fill("good"),
    ...Array<string>(ill).fill("bad"),
    ...Array<string>(missing).fill("missing"),
  ];
  return (
    <span className="dots">
      <span className="dots-row" aria-hidden="true">
        {dots.slice(0, MOST).map((kind, i) => (
          <i key={i} data-kind={kind} />
        ))}
      </span>
      <span className="number">
        {healthy} of {desired.replicas}
      </span>
    </span>
  );
}
