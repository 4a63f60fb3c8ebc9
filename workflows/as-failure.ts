import { toApplicationFailure } from "./actor-calls.ts";

/** Errors of the runtime as Temporal understands them: the type is the code, and only what may pass is tried again. */
export async function asFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toApplicationFailure(error);
  }
}
