import { createServer } from "node:net";
import type { PortSpec } from "../engines/container.ts";
import { EngineError } from "../engines/errors.ts";

/** A port that a process was told to listen on. */
export interface GivenPort {
  readonly container: number;
  readonly host: number;
}

/** Gives each port of a process one of this machine: the pinned one, or a free one that nobody was given. */
export async function givePorts(
  wanted: readonly PortSpec[],
  given: ReadonlySet<number>,
): Promise<readonly GivenPort[]> {
  const mine: GivenPort[] = [];
  for (const { container, host } of wanted) {
    const taken = (port: number): boolean => given.has(port) || mine.some((one) => one.host === port);
    if (host !== null && (taken(host) || (await bind(host)) === undefined))
      throw new EngineError("port_taken", `Cannot give port ${host} as it is in use`);
    let free = host ?? (await bind(0));
    while (host === null && (free === undefined || taken(free))) free = await bind(0);
    mine.push({ container, host: free ?? 0 });
  }
  return mine.sort((a, b) => a.container - b.container);
}

/** What tells a process its ports: `PORT` is the first one, `PORT_8080` the one that stands for 8080. */
export function portVariables(wanted: readonly PortSpec[], given: readonly GivenPort[]): Record<string, string> {
  const hostOf = (container: number): string => String(given.find((one) => one.container === container)?.host);
  const [first] = wanted;
  return {
    ...(first === undefined ? {} : { PORT: hostOf(first.container) }),
    ...Object.fromEntries(wanted.map(({ container }) => [`PORT_${container}`, hostOf(container)])),
  };
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
