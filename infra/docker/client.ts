import Docker from "dockerode";
import { type ClientTls, tlsConnect } from "../base/tls.ts";
import { sshSocket } from "./ssh-socket.ts";

const PLAIN_PORT = 2_375;
const TLS_PORT = 2_376;

/**
 * The HTTP client for an engine's address: `unix:///…`, `tcp://host:port` (with TLS at port 2376 and for `https://`), or
 * `ssh://user@host`; without one, for the environment's. Without certificates of ours, those of `DOCKER_CERT_PATH` are shown.
 */
export function clientFor(host: string | undefined, tls: ClientTls = {}): Docker {
  if (host === undefined || host === "") return new Docker();
  if (host.startsWith("unix://")) return new Docker({ socketPath: host.slice("unix://".length) });
  if (host.startsWith("ssh://")) return new Docker({ socketPath: sshSocket(host) });
  const url = new URL(host.includes("//") ? host : `tcp://${host}`);
  if (url.protocol !== "https:" && url.port !== String(TLS_PORT))
    return new Docker({ protocol: "http", host: url.hostname, port: Number(url.port || PLAIN_PORT) });
  if (tls.ca === undefined && tls.cert === undefined) return new Docker();
  const { ca, cert, key } = tlsConnect(tls);
  return new Docker({
    protocol: "https",
    host: url.hostname,
    port: Number(url.port || TLS_PORT),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}
