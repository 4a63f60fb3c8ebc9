import { expect, test } from "bun:test";
import { pause } from "./pause.ts";
import { periodically } from "./periodically.ts";

/** Work of which each run ends when the test says so. */
class Steered {
  readonly #runs: PromiseWithResolvers<void>[] = [];
  #began = Promise.withResolvers<void>();

  get count(): number {
    return this.#runs.length;
  }

  readonly work = (): Promise<void> => {
    const run = Promise.withResolvers<void>();
    this.#runs.push(run);
    this.#began.resolve();
    this.#began = Promise.withResolvers<void>();
    return run.promise;
  };

  /** Resolves, when the run of this number has begun, to its handle. */
  async run(number: number): Promise<PromiseWithResolvers<void>> {
    for (;;) {
      const run = this.#runs[number - 1];
      if (run !== undefined) return run;
      await this.#began.promise;
    }
  }
}

test("periodically() tells of a run that failed and goes on, one run at a time", async () => {
  const steered = new Steered();
  const errors: unknown[] = [];
  const periodic = periodically(1, steered.work, (error) => errors.push(error));
  (await steered.run(1)).reject(new Error("away"));
  const second = await steered.run(2);
  expect(errors).toEqual([new Error("away")]);
  await pause(20); // longer than many pauses of the work
  expect(steered.count).toBe(2);
  second.resolve();
  const third = await steered.run(3);
  const stopped = periodic.stop();
  third.resolve();
  await stopped;
  expect(steered.count).toBe(3);
});

test("periodically() stops when the run under way has ended", async () => {
  const steered = new Steered();
  const periodic = periodically(1, steered.work, () => undefined);
  const run = await steered.run(1);
  let stopped = false;
  const stop = periodic.stop().then(() => (stopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(stopped).toBe(false);
  run.resolve();
  await stop;
});
