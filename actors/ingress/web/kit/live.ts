import { useEffect, useRef, useState } from "react";
import { followTopics, type Following, type LiveMessage } from "../follow-topics.ts";
import { session } from "./api.ts";

/** Whether the socket is there: `true` once something was heard. */
type Listener = (message: LiveMessage | undefined, topics: readonly string[]) => void;
const listeners = new Map<string, Set<Listener>>();
let following: Following | undefined;

/** One socket for the page, whatever its parts follow. */
function follow(topics: readonly string[], listener: Listener): () => void {
  const fresh = topics.filter((topic) => !listeners.has(topic));
  for (const topic of topics) {
    const known = listeners.get(topic) ?? new Set();
    known.add(listener);
    listeners.set(topic, known);
  }
  if (following === undefined) {
    following = followTopics(session.socketAddress, fresh, {
      onMessage: (message) => listeners.get(message.topic)?.forEach((heard) => heard(message, [message.topic])),
      onGap: (missed) => missed.forEach((topic) => listeners.get(topic)?.forEach((heard) => heard(undefined, missed))),
    });
    session.onSignIn(() => following?.moveTo(session.socketAddress));
  } else following.add(fresh);
  return () => {
    for (const topic of topics) listeners.get(topic)?.delete(listener);
  };
}

/**
 * Hears what is broadcast on topics, for as long as the component is shown. `undefined`: something may have been missed, so
 * look again.
 */
export function useLive(topics: readonly string[], hear: (message: LiveMessage | undefined) => void): void {
  const latest = useRef(hear);
  latest.current = hear;
  const key = topics.join(" ");
  useEffect(() => (key === "" ? undefined : follow(key.split(" "), (message) => latest.current(message))), [key]);
}

/** The time now, renewed every so many milliseconds, for times that are shown as "3 s ago". */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
