/**
 * Compiles schemas from outside and checks data against them, in bounded time.
 *
 * Y1 Nothing of a schema runs here before a worker has compiled it within the limit.
 * Y2 A check counts its steps. One that takes more than some milliseconds begins anew in the worker, which is ended when it
 *    takes too long. Then the data counts as not fitting.
 */
import { type CompiledCheck, compileSchema } from "./compile.ts";
import { readSchema } from "./document.ts";
import type { Answer, Job } from "./jobs.ts";
import type { Misfit, SchemaFault } from "./misfit.ts";
import { TooMuchWorkError } from "./run.ts";

/** A schema that was taken. */
export interface CompiledSchema {
  /** Every place (at most 20) where data does not fit; none: it fits. Its numbers are those of `parseExact`. */
  check(data: unknown): readonly Misfit[] | Promise<readonly Misfit[]>;
}

export interface SchemaValidatorOptions {
  /** Milliseconds that compiling a schema, or a check in the worker, may take. @default 250 */
  readonly withinMs?: number;
  /** Steps of a check that may run in this thread; a step is one subschema at one value of the data. @default 200_000 */
  readonly stepsHere?: number;
}

/** Some milliseconds. */
const MAX_STEPS_HERE = 200_000;
/** The worker loads the validator on its first job. */
const START_MS = 10_000;
/** Uses what most schemas do, so that no real one pays for its first use. */
const WARM_UP = '{"type":"object","properties":{"a":{"type":"string","pattern":"^a$"}},"required":[]}';

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

  /**
   * Takes a schema, or tells every reason not to. Changes nothing.
   * @param schema as `parseExact` reads it, so that its bounds are what its text says.
   */
  async compile(schema: unknown): Promise<CompiledSchema | readonly SchemaFault[]> {
    const text = JSON.stringify(schema) ?? "null";
    const document = readSchema(schema, new TextEncoder().encode(text).length);
    if (!("subschemas" in document)) return document;
    const answer = await this.#ask(text, undefined); // Validator.Y1
    if (answer === "late") return [whole(`The schema cannot be compiled within ${this.#withinMs} ms`)];
    if (answer.kind === "failed") return [whole(answer.message)];
    if (answer.kind === "refused") return answer.faults;
    let here: CompiledCheck | undefined;
    return {
      check: (data) => {
        try {
          here ??= compiledAgain(compileSchema(document));
          return here(data, this.#stepsHere);
        } catch (error) {
          if (!(error instanceof TooMuchWorkError)) throw error;
          return this.#checkApart(text, JSON.stringify(data)); // Validator.Y2
        }
      },
    };
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #checkApart(schema: string, data: string): Promise<readonly Misfit[]> {
    const answer = await this.#ask(schema, data);
    if (answer === "late") return [whole(`cannot be checked within ${this.#withinMs} ms`)]; // Validator.Y2
    if (answer.kind === "done") return answer.misfits;
    return answer.kind === "failed" ? [whole(answer.message)] : answer.faults;
  }

  /** One job at a time: the limit is on the job, not on the queue. */
  #ask(schema: string, data: string | undefined): Promise<Answer | "late"> {
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

function whole(message: string): SchemaFault {
  return { path: "", message, expected: "less work", received: "more" };
}

/** The worker compiled it before: it can be compiled. */
function compiledAgain(check: CompiledCheck | readonly SchemaFault[]): CompiledCheck {
  if (typeof check === "function") return check;
  throw new TypeError(`Cannot compile the schema as it was compiled before: ${check[0]?.message ?? ""}`);
}
