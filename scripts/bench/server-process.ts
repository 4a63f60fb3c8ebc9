/** A server in a process of its own, for baselines: its script prints its port as its first line. */
export interface ServerProcess extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
}

/** Starts a script. Resolves once it listens. */
export async function startServer(script: string, ...args: readonly string[]): Promise<ServerProcess> {
  const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "inherit" });
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  try {
    const address = `http://127.0.0.1:${await firstLine(child.stdout)}`;
    return { address, pid: child.pid, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("The server ended before it listened");
}
