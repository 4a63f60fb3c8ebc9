import type Docker from "dockerode";
import { withDeadline } from "../engines/deadline.ts";
import type { ImageBuild } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";

const BUILD_TIMEOUT_MS = 120_000;
const PULL_TIMEOUT_MS = 10 * 60_000;

/** How this machine logs in to registries, by the registry's host name. */
export type RegistryLogins = (registry: string) => { readonly username: string; readonly password: string } | undefined;

/** The id of the image that a reference stands for; `undefined` when the engine does not have it. */
export async function imageId(docker: Docker, reference: string, timeoutMs: number): Promise<string | undefined> {
  try {
    return (await withDeadline(`inspect image ${reference}`, timeoutMs, () => docker.getImage(reference).inspect())).Id;
  } catch (error) {
    if (error instanceof EngineError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** Fetches an image; says how far it is. */
export async function pullImage(
  docker: Docker,
  reference: string,
  logins: RegistryLogins,
  progress: (word: string) => void,
): Promise<void> {
  const registry = registryOf(reference);
  const login = logins(registry);
  await withDeadline(`pull ${reference}`, PULL_TIMEOUT_MS, async () => {
    const output = (await docker.pull(
      reference,
      login === undefined ? {} : { authconfig: { ...login, serveraddress: registry } },
    )) as NodeJS.ReadableStream;
    const layers = new Map<string, { current: number; total: number }>();
    await follow(docker, output, `pull ${reference}`, (line) => {
      const { current, total } = line.progressDetail ?? {};
      if (line.id !== undefined && current !== undefined && total !== undefined)
        layers.set(line.id, { current, total });
      const sum = [...layers.values()].reduce(
        (a, b) => ({ current: a.current + b.current, total: a.total + b.total }),
        {
          current: 0,
          total: 0,
        },
      );
      progress(sum.total > 0 ? `${Math.floor((sum.current / sum.total) * 100)} %` : (line.status ?? ""));
    });
  });
}

/** Sends the files as a tar stream and waits until the image is there. */
export async function buildImage(docker: Docker, build: ImageBuild): Promise<void> {
  await withDeadline(`build ${build.tag}`, BUILD_TIMEOUT_MS, async () => {
    const output = await docker.buildImage(
      { context: build.directory, src: [...build.files] },
      { t: build.tag, forcerm: true },
    );
    await follow(docker, output, `build ${build.tag}`, () => undefined);
  });
}

/** The registry that a reference names: `docker.io` where it names none. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

async function follow(
  docker: Docker,
  output: NodeJS.ReadableStream,
  action: string,
  line: (line: ProgressLine) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      output,
      (error, lines) => {
        const failed = (lines as ProgressLine[] | null)?.find((one) => one.error !== undefined);
        if (error || failed) reject(error ?? new EngineError("refused", `Cannot ${action}: ${failed?.error}`));
        else resolve();
      },
      (one: ProgressLine) => line(one),
    );
  });
}
