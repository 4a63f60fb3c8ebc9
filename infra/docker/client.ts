import Docker from "dockerode";

/** The HTTP client for an engine's address (`unix:///…`, `tcp://host:port`); without one, for the environment's. */
export function clientFor(host: string | undefined): Docker {
  if (host === undefined || host === "") return new Docker();
  if (host.startsWith("unix://")) return new Docker({ socketPath: host.slice("unix://".length) });
  const url = new URL(host.includes("//") ? host : `tcp://${host}`);
  // With certificates only the client's own reading of the environment knows where they are.
  if (url.protocol === "https:" || url.port === "2376") return new Docker();
  return new Docker({ protocol: "http", host: url.hostname, port: Number(url.port || 2375) });
}
