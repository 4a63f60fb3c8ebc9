import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { clientFor } from "#infra/docker/client.ts";
import { APP, stageApp, stageSystem } from "./stage.ts";

/** The image's name without its tag. */
export const REPOSITORY = "troupe/app";

/** What a container of the image is told by the image. As in `infra/images/app/Dockerfile`. */
const CONFIGURATION = [
  `WORKDIR /${APP}`,
  "USER 10001:10001",
  "EXPOSE 3000",
  "ENV HOST=0.0.0.0",
  "ENV PORT=3000",
  "ENV TROUPE_AUTH=on",
  "ENV TROUPE_DATA=/data",
  `ENV TROUPE_CACHE=/${APP}/cache`,
  "ENV PATH=/usr/local/bin",
  "ENV HOME=/tmp",
  'ENTRYPOINT ["/usr/local/bin/bun"]',
  `CMD ["/${APP}/scripts/app.ts"]`,
  `HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/bin/bun", "/${APP}/scripts/image/health.ts"]`,
] as const;

/** What was built. */
export interface BuiltImage {
  readonly reference: string;
  readonly id: string;
  readonly bytes: number;
}

/** What {@link buildImage} may be told. */
export interface BuildOptions {
  /** The engine; without it the environment's. */
  readonly host?: string | undefined;
  /** @default "latest" */
  readonly tag?: string;
  /** The commit that it is built from, for `troupe_build_info`. */
  readonly revision?: string;
}

/**
 * Builds the app's image from this checkout and this machine's Bun, without any registry but that of the packages, which
 * Bun's own cache usually answers. Needs Linux with glibc, as the image gets this machine's libraries.
 */
export async function buildImage({ host, tag = "latest", revision = "" }: BuildOptions): Promise<BuiltImage> {
  if (process.platform !== "linux")
    throw new Error(
      "Cannot build the image as this machine's libraries go into it, and it runs no Linux: use the Dockerfile",
    );
  const folder = await mkdtemp(join(tmpdir(), "troupe-image-"));
  const reference = `${REPOSITORY}:${tag}`;
  try {
    await stageApp(folder);
    await stageSystem(folder);
    const tar = Bun.spawn(
      ["tar", "--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-C", folder, "."],
      { stdout: "pipe", stderr: "inherit" },
    );
    const changes = [
      ...CONFIGURATION,
      `ENV TROUPE_REVISION=${revision}`,
      `LABEL org.opencontainers.image.revision="${revision}"`,
    ];
    const docker = clientFor(host);
    await imported(docker, Readable.fromWeb(tar.stdout as never), { repo: REPOSITORY, tag, changes });
    if ((await tar.exited) !== 0) throw new Error(`Cannot pack the image's files: tar ended with ${tar.exitCode}`);
    const { Id: id, Size: bytes } = await docker.getImage(reference).inspect();
    return { reference, id, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface ImportOptions {
  readonly repo: string;
  readonly tag: string;
  readonly changes: readonly string[];
}

/** `docker import`: a file system becomes an image of one layer. */
async function imported(docker: Docker, tar: Readable, { repo, tag, changes }: ImportOptions): Promise<void> {
  const output = await docker.importImage(tar, { repo, tag, changes: [...changes] });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(output, (error: Error | null, lines: readonly { readonly error?: string }[]) => {
      const failed = lines?.find((line) => line.error !== undefined);
      if (error !== null || failed !== undefined)
        reject(error ?? new Error(`Cannot import the image: ${failed?.error}`));
      else resolve();
    });
  });
}
