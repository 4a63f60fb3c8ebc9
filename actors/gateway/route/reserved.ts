/**
 * What no route and no event from outside may take for itself: the places of our own events at the brokers, and the
 * `source` of our own actors and registered sources. A subscriber that trusts them must not hear from anybody else there.
 */
import type { Destination } from "./messages.ts";

/** Why a place is no target, or `undefined`. `nouns`: the types of our own actors and what their events are about. */
export function reservedPlace(to: Destination, nouns: ReadonlySet<string>): string | undefined {
  return isReserved(to, nouns) ? "is a place of our own events: choose another one" : undefined;
}

function isReserved(to: Destination, nouns: ReadonlySet<string>): boolean {
  switch (to.sink) {
    // Words may stand before it: the name of a cluster.
    case "kafka":
      return nouns.has(/(?:^|\.)([^.]+)\.events\.v\d+$/.exec(to.topic)?.[1] ?? "");
    case "nats": {
      const [first = "", second = "", third = ""] = to.subject.split(".");
      return (first === "evt" && nouns.has(second)) || (second === "evt" && nouns.has(third));
    }
    case "rabbitmq":
      return to.exchange === "events";
    case "redis":
      return nouns.has(/(?:^|[:.])events:([^:]+)$/.exec(to.stream)?.[1] ?? "");
  }
}

/** What relative sources are relative to. */
const HERE = "http://here.invalid/";

/**
 * Whether an event that is posted may not have this `source`: it says that it comes from a registered source, or from one
 * of our own actors.
 * @param isRegistered whether a source of that name is registered.
 */
export function isReservedSource(
  source: string,
  nouns: ReadonlySet<string>,
  isRegistered: (name: string) => boolean,
): boolean {
  if (isRegistered(source)) return true;
  if (!URL.canParse(source, HERE)) return false;
  const { origin, pathname } = new URL(source, HERE);
  // An address with a host of its own is somebody else's.
  if (`${origin}/` !== HERE) return false;
  const [first = ""] = pathname.split("/").flatMap((step) => (step === "" ? [] : [decoded(step).toLowerCase()]));
  return first === "sources" || nouns.has(first);
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
