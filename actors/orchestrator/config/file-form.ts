import type { ServiceConfig } from "../service/messages.ts";
import type { ConfigServices } from "./messages.ts";

/** Services as they would be written in a file: what `GET /config` shows may be sent back as it is. */
export function fileForm(services: ConfigServices): Record<string, unknown> {
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, serviceForm(service)]));
}

function serviceForm({ spec, replicas }: ServiceConfig): Record<string, unknown> {
  const { image, command, env, ports, resources } = spec;
  return {
    image,
    replicas,
    ...(command.length > 0 ? { command } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(ports.length > 0
      ? { ports: ports.map(({ container, host }) => (host === null ? container : `${host}:${container}`)) }
      : {}),
    resources: { memory: memoryText(resources.memoryBytes), cpus: resources.cpus, pids: resources.pids },
  };
}

function memoryText(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return Number.isInteger(mebibytes) ? `${mebibytes}MiB` : `${bytes}B`;
}
