/**
 * The values of a stream of JSON lines, until the stream ends, breaks, or the signal is aborted. Lines that are not
 * JSON are left out. Ends by itself in each case: an engine that goes away never leaves the reader hanging.
 */
export async function* jsonLines(stream: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<unknown> {
  const lines: string[] = [];
  let rest = "";
  let ended = signal.aborted;
  let wake = (): void => undefined;

  const onData = (chunk: Buffer | string): void => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  };
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  stream.on("data", onData);
  for (const event of ["end", "close", "error"]) stream.on(event, onEnd);
  signal.addEventListener("abort", onEnd, { once: true });

  try {
    while (!signal.aborted) {
      const line = lines.shift();
      if (line !== undefined) {
        const value = parse(line);
        if (value !== undefined) yield value;
      } else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stream.removeListener("data", onData);
    signal.removeEventListener("abort", onEnd);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
