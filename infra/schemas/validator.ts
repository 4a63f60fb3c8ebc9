/**
 * Compiles schemas from outside and checks data against them, in bounded time.
 *
 * Y1 Nothing of a schema runs here before a worker has compiled it within the limit.
 * Y2 A check whose work is bounded by the schema's weight and the size of the data runs here; any other runs in the
 *    worker, which is ended when it takes too long. Then the data counts as not fitting.
 */
import { type Check, compileSchema, type Misfit } from "./compile.ts";
import type { Answer, Job } from "./jobs.ts";
import { measureSchema, type SchemaFault } from "./limits.ts";

/** A schema that was taken. */
export interface CompiledSchema {
  /**
   * Where `text` (the JSON of `data`) does not fit, or `undefined`.
   */
  check(data: unknown, text: string): Misfit | undefined | Promise<Misfit | undefined>;
}

export interface SchemaValidatorOptions {
  /** Milliseconds that compiling a schema, or a check in the worker, may take. @default 250 */
  readonly withinMs?: number;
  /** Steps of a check that may run in this thread; a step is one node of the schema at one value of the data. @default 500_000 */
  readonly stepsHere?: number;
}

/** Some milliseconds. */
const MAX_STEPS_HERE = 500_000;
/** The worker loads the validator on its first job. */
const START_MS = 10_000;
/** Uses what most schemas do, so that no real one pays for its first use. */
const WARM_UP = { type: "object", properties: { a: { type: "string", pattern: "^a$" } }, required: [] };

export class SchemaValidator implements Disposable {
  readonly #withinMs: number;
  readonly #stepsHere: number;
  #worker: Worker | undefined;
  #busy: Promise<unknown> = Promise.resolve();
  #nextId = 1;

  constructor({ withinMs = 250, stepsHere = MAX_STEPS_HERE }: SchemaValidatorOptions = {}) {
    this.#withinMs = withinMs;
    this.#stepsHere = stepsHere;
  }

  /** Takes a schema, or tells every reason not to. Changes nothing. */
  async compile(schema: unknown): Promise<CompiledSchema | readonly SchemaFault[]> {
    const cost = measureSchema(schema);
    if (!("weight" in cost)) return cost;
    const taken = schema as object | boolean;
    const answer = await this.#ask(taken, undefined); // Y1
    if (answer === "late") return [{ path: "", message: `The schema cannot be compiled within ${this.#withinMs} ms` }];
    if (answer.kind === "failed") return [{ path: "", message: answer.message }];
    let check: Check | undefined;
    return {
      check: (data, text) => {
        if (!cost.recursive && cost.weight * text.length <= this.#stepsHere)
          return (check ??= compileSchema(taken))(data);
        return this.#checkApart(taken, text);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #checkApart(schema: object | boolean, text: string): Promise<Misfit | undefined> {
    const answer = await this.#ask(schema, text);
    if (answer === "late") return { path: "", message: `cannot be checked within ${this.#withinMs} ms` }; // Y2
    return answer.kind === "failed" ? { path: "", message: answer.message } : answer.misfit;
  }

  /** One job at a time: the limit is on the job, not on the queue. */
  #ask(schema: object | boolean, data: string | undefined): Promise<Answer | "late"> {
    const turn = this.#busy.then(() => this.#run({ id: this.#nextId++, schema, data }));
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  async #run(job: Job): Promise<Answer | "late"> {
    const worker = this.#worker ?? (await this.#start());
    const { promise, resolve } = Promise.withResolvers<Answer | "late">();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.id === job.id) resolve(data);
    };
    worker.onerror = (event) => resolve({ id: job.id, kind: "failed", message: event.message });
    worker.postMessage(job);
    const timer = setTimeout(() => resolve("late"), this.#withinMs);
    const answer = await promise;
    clearTimeout(timer);
    if (answer === "late") this[Symbol.dispose]();
    return answer;
  }

  /** A new worker, once it has answered: the time it takes to load is not the job's. */
  async #start(): Promise<Worker> {
    const worker = new Worker(new URL("worker.ts", import.meta.url).href);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
    const timer = setTimeout(() => reject(new Error(`The worker did not start within ${START_MS} ms`)), START_MS);
    worker.postMessage({ id: 0, schema: WARM_UP, data: "{}" } satisfies Job);
    try {
      await promise;
    } catch (error) {
      worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    // It must not keep the process alive.
    (worker as Worker & { unref?(): void }).unref?.();
    this.#worker = worker;
    return worker;
  }
}
