import type Docker from "dockerode";
import { withDeadline } from "./deadline.ts";
import { EngineError } from "./errors.ts";

/** An image to be built from local files. */
export interface ImageBuild {
  /** As in `troupe/echo:1`. */
  readonly tag: string;
  /** The build context. */
  readonly directory: string;
  /** The files of the context that are sent, `Dockerfile` among them. */
  readonly files: readonly string[];
}

const BUILD_TIMEOUT_MS = 120_000;

/** Whether the engine has the image. */
export async function hasImage(docker: Docker, reference: string, timeoutMs: number): Promise<boolean> {
  try {
    await withDeadline(`inspect image ${reference}`, timeoutMs, () => docker.getImage(reference).inspect());
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === "not_found") return false;
    throw error;
  }
}

/** Sends the files as a tar stream and waits until the image is there. */
export async function buildImage(docker: Docker, build: ImageBuild): Promise<void> {
  await withDeadline(`build ${build.tag}`, BUILD_TIMEOUT_MS, async () => {
    const output = await docker.buildImage(
      { context: build.directory, src: [...build.files] },
      { t: build.tag, forcerm: true },
    );
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(output, (error, lines) => {
        const failed = (lines as { error?: string }[] | null)?.find((line) => line.error !== undefined);
        if (error || failed) reject(error ?? new EngineError("refused", `Cannot build ${build.tag}: ${failed?.error}`));
        else resolve();
      });
    });
  });
}
