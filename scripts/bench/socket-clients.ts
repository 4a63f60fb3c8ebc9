/** Many sockets in a process of their own, started by the benchmark `sockets`: what they cost must not count as the server's. */
import { answerParent, nowMs, type Result, topicOf } from "./socket-messages.ts";

/** Sockets whose handshake is under way at once. */
const OPENING = 100;
const HEARD_WITHIN_MS = 60_000;

const heard: [n: number, at: number][] = [];

async function open(port: number, topic: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const ready = Promise.withResolvers<void>();
  socket.onopen = () => socket.send(JSON.stringify({ subscribe: [topic] }));
  socket.onclose = ({ code }) => ready.reject(new Error(`A socket was closed with ${code}`));
  socket.onmessage = ({ data }) => {
    const at = nowMs();
    const frame = JSON.parse(String(data)) as { subscribed?: unknown; data?: { n: number } };
    if (frame.data !== undefined) heard.push([frame.data.n, at]);
    else ready.resolve();
  };
  await ready.promise;
}

answerParent(async (command): Promise<Result> => {
  if (command.kind === "open") {
    for (let i = 0; i < command.sockets; i += OPENING) {
      const batch = Array.from({ length: Math.min(OPENING, command.sockets - i) }, (_, j) => i + j);
      await Promise.all(batch.map((n) => open(command.port, topicOf(n, command.topics))));
    }
    return { kind: "open" };
  }
  if (command.kind !== "heard") throw new TypeError(`Clients do not know ${command.kind}`);
  const end = nowMs() + HEARD_WITHIN_MS;
  for (;;) {
    const times = heard.filter(([n]) => n >= command.from);
    if (times.length >= command.count) return { kind: "heard", times };
    if (nowMs() > end) throw new Error(`${times.length} of ${command.count} messages were heard`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
