import type { Step } from "./steps.ts";

/** How a step ended. `output` is everything it printed. */
export interface Outcome {
  readonly step: Step;
  readonly passed: boolean;
  readonly output: string;
  readonly ms: number;
}

/**
 * Runs the steps in their order, `width` at a time, and tells `done` of each as it ends. A step that fails stops no
 * other, so that one run shows everything that is wrong. The answer is in the order of the steps.
 */
export async function runSteps(
  root: string,
  steps: readonly Step[],
  width: number,
  done: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = steps.entries();
  const worker = async (): Promise<void> => {
    for (const [at, step] of waiting) {
      const outcome = await runStep(root, step);
      outcomes[at] = outcome;
      done(outcome);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return outcomes;
}

async function runStep(root: string, step: Step): Promise<Outcome> {
  const startedAt = performance.now();
  try {
    const child = Bun.spawn([...step.command], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
    return { step, passed: code === 0, output: stdout + stderr, ms: performance.now() - startedAt };
  } catch (error) {
    return { step, passed: false, output: String(error), ms: performance.now() - startedAt };
  }
}

function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new Response(stream).text();
}
