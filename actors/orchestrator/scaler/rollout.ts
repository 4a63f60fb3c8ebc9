import type { Desired, ObservedContainer } from "./messages.ts";
import { isReadyNow, isUp, type Outlook, type Placed, slackOf } from "./outlook.ts";

/** The next step from one revision to another. What is removed or stopped is drained first. */
export interface Step {
  readonly remove: readonly ObservedContainer[];
  readonly stop: readonly ObservedContainer[];
  /** `start: false`: only made, as the old one still has its port. */
  readonly start: readonly (Placed & { readonly start: boolean })[];
  /** Nothing of another revision is left. */
  readonly done: boolean;
}

/** Which step is next: see P3 and P5 of the plan. */
export function rollout(desired: Desired, seen: Outlook): Step {
  const done = seen.outdated.length === 0 && seen.spared.length === 0;
  if (desired.paused) return { ...hold(seen), done };
  if (desired.pinned) return { ...swap(seen), done };
  return { ...roll(desired, seen), done };
}

/** Paused: what is there is kept running, whatever its revision; nothing of an update is made, nothing goes. */
function hold(seen: Outlook): Omit<Step, "done"> {
  const { wants, outdated, revivable, wanted } = seen;
  const room = wanted - seen.running;
  const restarts = wants.filter((placed) => !takesRoom(placed));
  const startable = [
    ...wants.filter(({ container }) => container !== null),
    ...revivable.map(asPlaced),
    // Where there is no update under way, missing ones are made as ever.
    ...(outdated.length === 0 ? wants.filter(({ container }) => container === null) : []),
  ].filter(takesRoom);
  return {
    remove: [],
    stop: [],
    start: [...restarts, ...startable.slice(0, Math.max(0, room))].map((placed) => ({ ...placed, start: true })),
  };
}

/** One port, two revisions: the new container is made, the old one stopped, the new one started; the old one goes last. */
function swap({ wants, waiting, outdated, ready, wanted }: Outlook): Omit<Step, "done"> {
  const running = outdated.filter((c) => isUp(c) || c.stuck !== null);
  if (ready.length === wanted) return { remove: outdated, stop: [], start: [] };
  if (running.length === 0) return { remove: [], stop: [], start: wants.map((placed) => ({ ...placed, start: true })) };
  const made = waiting.length === 0 && wants.every(({ container }) => container !== null);
  return {
    remove: [],
    stop: made ? running : [],
    start: wants.filter(({ container }) => container === null).map((placed) => ({ ...placed, start: false })),
  };
}

/** New ones beside the old ones, as many as may run; old ones go as new ones are ready. */
function roll(desired: Desired, seen: Outlook): Omit<Step, "done"> {
  const { maxSurge } = slackOf(desired);
  const { kept, ready, outdated, waiting, wants, wanted } = seen;

  const running = outdated.filter((c) => isUp(c) || c.stuck !== null);
  const ended = outdated.filter((c) => !running.includes(c));
  const serving = running.filter((c) => isReadyNow(desired, c));
  const draining = running.filter((c) => desired.draining[c.id] !== undefined);
  const rest = running.filter((c) => !serving.includes(c) && !draining.includes(c));
  const proven = kept.some((c) => c.revision === desired.revision && ready.includes(c));

  const room = wanted + maxSurge - (seen.running + waiting.length);
  // Old ones that do not work go where a new one works, or where they take its place.
  const useless = proven || (room <= 0 && wants.length > 0) ? rest : [];
  // Until a new one works, the old ones are kept alive.
  const revived = proven || seen.running >= wanted ? [] : seen.revivable.map(asPlaced);
  const startable = [...wants, ...revived].filter((placed) => takesRoom(placed));
  const restarts = wants.filter((placed) => !takesRoom(placed));
  return {
    remove: [
      ...draining,
      ...useless,
      ...serving.toSorted((a, b) => b.replica - a.replica).slice(0, seen.free),
      ...(proven || ready.length === wanted ? ended : []),
    ],
    stop: [],
    start: [...restarts, ...startable.slice(0, Math.max(0, room))].map((placed) => ({ ...placed, start: true })),
  };
}

/** A container that runs and is only restarted has its place already. */
function takesRoom({ container }: Placed): boolean {
  return container === null || !isUp(container);
}

function asPlaced(container: ObservedContainer): Placed {
  return { revision: container.revision, replica: container.replica, container };
}
