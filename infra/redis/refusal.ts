import { MultiErrorReply } from "redis";

/** The server will not take this as long as it is what it is: another type of key, a user who may not, no ids left. */
const NEVER = /^(?:WRONGTYPE|NOPERM)\b|exhausted the last possible ID/;

/** Whether the server's answer means that a record will never be taken. Any other answer (`OOM`, `READONLY`, …) means not now. */
export function isNever(error: unknown): boolean {
  return error instanceof Error && NEVER.test(error.message);
}

/** The server answered, and said no: `OOM`, `WRONGTYPE`, `EXECABORT`. Such errors begin with a word in capitals. */
export function isAnswer(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]{3,}\b/.test(error.message) && !("code" in error);
}

/** The replies of a transaction, one by one; errors among them stand in their places. @throws what ended it as a whole. */
export async function repliesOf(transaction: Promise<unknown>): Promise<readonly unknown[]> {
  try {
    return (await transaction) as readonly unknown[];
  } catch (error) {
    if (error instanceof MultiErrorReply) return error.replies;
    throw error;
  }
}
