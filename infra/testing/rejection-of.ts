/**
 * What a promise rejects with; of a call to Temporal in place of `expect(call).rejects`.
 *
 * That matcher of Bun runs the event loop inside itself until the promise is settled. Where the test goes on from an answer
 * over HTTP/2, as every one of Temporal is, the loop runs inside the handler of that connection, and nothing more is read from it
 * until it is lost: the next answer is heard of 45 s later.
 * @throws {Error} it resolves.
 */
export function rejectionOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new Error(`Expected a rejection, received ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
