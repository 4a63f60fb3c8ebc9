import type Docker from "dockerode";
import type { LogLine } from "../engines/container.ts";
import { withDeadline } from "../engines/deadline.ts";
import type { LogOptions } from "../engines/engine.ts";

/** A line may be so long; the rest of a longer one is left out. */
const MAX_LINE = 16 * 1024;
const NEWLINE = 0x0a;

/** The log of a container, line by line: the engine's frames taken apart. */
export async function* readLogs(
  docker: Docker,
  id: string,
  timeoutMs: number,
  { since, tail, follow = false, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const stream = await withDeadline(`read the log of ${id.slice(0, 12)}`, timeoutMs, async () => {
    const options = {
      stdout: true,
      stderr: true,
      timestamps: true,
      ...(since === undefined ? {} : { since: Date.parse(since) / 1_000 }),
      ...(tail === undefined ? {} : { tail }),
    };
    const container = docker.getContainer(id);
    return follow
      ? ((await container.logs({ ...options, follow: true })) as NodeJS.ReadableStream)
      : ((await container.logs({ ...options, follow: false })) as Buffer);
  });
  const chunks: AsyncIterable<Buffer> | Iterable<Buffer> = Buffer.isBuffer(stream)
    ? [stream]
    : (stream as AsyncIterable<Buffer>);
  const end = (): void => (stream as { destroy?: () => void }).destroy?.();
  signal?.addEventListener("abort", end, { once: true });
  const frames = new Frames();
  try {
    for await (const chunk of chunks) {
      for (const line of frames.push(chunk)) yield line;
      if (signal?.aborted) return;
    }
    yield* frames.rest();
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

/** Takes the engine's frames (a byte for the stream, three of nothing, four for the length, the text) apart into lines. */
class Frames {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #open: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };

  *push(chunk: Buffer): Generator<LogLine> {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 8) {
      const length = this.#buffer.readUInt32BE(4);
      if (this.#buffer.length < 8 + length) return;
      const stream = this.#buffer[0] === 2 ? "stderr" : "stdout";
      yield* this.#lines(stream, this.#buffer.subarray(8, 8 + length));
      this.#buffer = this.#buffer.subarray(8 + length);
    }
  }

  *rest(): Generator<LogLine> {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#open[stream].length > 0) yield* this.#lines(stream, Buffer.from("\n"));
    }
  }

  *#lines(stream: "stdout" | "stderr", bytes: Buffer): Generator<LogLine> {
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      const whole = Buffer.concat([...this.#open[stream], bytes.subarray(from, at)]).toString();
      this.#open[stream] = [];
      from = at + 1;
      const space = whole.indexOf(" ");
      yield { at: whole.slice(0, space), stream, text: whole.slice(space + 1, space + 1 + MAX_LINE) };
    }
    if (from < bytes.length) this.#open[stream].push(bytes.subarray(from));
  }
}
